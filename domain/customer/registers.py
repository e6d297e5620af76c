"""Customers, their addresses and their contact persons, as the poller reads them."""

from __future__ import annotations

from collections.abc import Mapping

from domain.customer import addresses, contacts
from domain.customer.places import ADDRESS
from domain.customer.table import CUSTOMER, TABLE, TERMS_MAY_BE_MISSING_ON_LISTS
from domain.mapper import latest_time, read, text
from domain.model import Json, Record
from domain.registers import Concern, Register, reference
from domain.setup.settings import TenantSettings
from domain.text import name_key, organisation_number, same_organisation

CUSTOMERS = "customers"
ERP_CUSTOMER = "customer"
ADDRESSES = "addresses"
ADDRESSES_OF = "customers/addresses"
CONTACTS = "contactpersons"
COMMUNICATIONS = "contactcommunications"
COMMUNICATION_TYPES = "communicationtypes"
ERP_CONTACT = "contact"

# Open question: whether a customer's headquarter address is set by a reference, PATCH /headquarterAddress/guid.
HEADQUARTER_REFERENCE = "headquarterAddress.guid"

# Severa numbers are 64-bit; a number that is only passed through while two customers swap theirs is taken from here.
INTERIM_NUMBERS = range(900_000_000, 1_000_000_000)


def erp_values(body: Json, *, listed: bool = False) -> dict[str, str]:
    """The mapped fields of an ERP customer as canonical strings; countries are two-letter codes.

    ``listed``: the body may be a list row, on which empty credit terms mean 'not shown'.
    """
    values = {**CUSTOMER.values("visma_net", body), **addresses.erp_values(body)}
    if listed and TERMS_MAY_BE_MISSING_ON_LISTS and not values["payment_term"]:
        del values["payment_term"]
    return values


def organisation(body: Json) -> str:
    """The organisation number of an ERP customer, normalised."""
    return organisation_number(text(body, "vatRegistrationId")) or organisation_number(
        text(body, "corporateId")
    )


def organisation_of(record: Record) -> str:
    """The organisation number of a customer's record of either system, normalised, '' if it has none."""
    if record.system == "severa":
        return organisation_number(text(record.body, "vatNumber"))
    return organisation(record.body)


def same_company(one: Record, other: Record) -> bool:
    """Whether two customers' records, of either system, name the same organisation: an organisation number in Severa
    stands as VAT number, in the ERP as either."""
    return any(same_organisation(ours, theirs) for ours in _numbers(one) for theirs in _numbers(other))


def _numbers(record: Record) -> tuple[str, ...]:
    paths = ("vatNumber",) if record.system == "severa" else ("vatRegistrationId", "corporateId")
    return tuple(text(record.body, path) for path in paths)


def natural_key(body: Json) -> str:
    """What a customer is held by while it is created, over both directions (docs/never-twice.md rule 2a): its organisation
    number in normal form, else its name; '' if it has neither. ``body`` of either system."""
    number = organisation_number(text(body, "vatNumber")) or organisation(body)
    return number or name_key(text(body, "name"))


def _severa_seen(body: Json) -> Mapping[str, str]:
    headquarter = read(body, "headquarterAddress") or {}
    # The headquarter address on the customer itself tells no region.
    own = {name: value for name, value in ADDRESS.seen("severa", headquarter).items() if name in _HEADQUARTER}
    return {**CUSTOMER.seen("severa", body), **own}


_HEADQUARTER = ("address_line", "postal_code", "city", "country")


def _erp_seen(body: Json) -> Mapping[str, str]:
    return erp_values(body, listed=True)


def _notes_off(settings: TenantSettings) -> tuple[str, ...]:
    return ("notes",) if settings.notes == "off" else ()


def _of_contact(body: Json) -> tuple[Concern, ...]:
    contact = text(body, "contact.guid")
    return (Concern("customer", CUSTOMERS, contact, through=CONTACTS),) if contact else ()


def _of_customer(body: Json) -> tuple[Concern, ...]:
    customer = text(body, "customer.guid")
    return (Concern("customer", CUSTOMERS, customer),) if customer else ()


def _of_account(body: Json) -> tuple[Concern, ...]:
    # A contact of the ERP names its customer (or supplier) by number only.
    account = text(body, "businessAccount")
    return (Concern("customer", ERP_CUSTOMER, "", number=account),) if account else ()


REGISTERS: tuple[Register, ...] = (
    Register(
        system="severa",
        name=CUSTOMERS,
        identify=lambda body: text(body, "guid"),
        number=lambda body: text(body, "number"),
        title=lambda body: text(body, "name"),
        projection=_severa_seen,
        concerns=lambda body: (Concern("customer", CUSTOMERS, text(body, "guid")),),
        remote_time=latest_time,
        organisation=lambda body: organisation_number(text(body, "vatNumber")),
        mapping_version=TABLE.version("severa"),
        unmapped=_notes_off,
    ),
    # What belongs to a customer settles with it: one row, one planner.
    Register(
        system="severa",
        name=ADDRESSES,
        identify=lambda body: text(body, "guid"),
        number=lambda _body: "",
        title=lambda body: text(body, "addressline").split("\n", maxsplit=1)[0],
        projection=lambda body: ADDRESS.seen("severa", body),
        mapping_version=ADDRESS.version("severa"),
        concerns=_of_customer,
        remote_time=latest_time,
        owner=lambda body: text(body, "customer.guid"),
    ),
    Register(
        system="severa",
        name=CONTACTS,
        identify=lambda body: text(body, "guid"),
        number=lambda _body: "",
        title=lambda body: " ".join(one for one in (text(body, "firstName"), text(body, "lastName")) if one),
        projection=lambda body: contacts.TABLE.seen("severa", body),
        mapping_version=contacts.TABLE.version("severa"),
        concerns=_of_customer,
        remote_time=latest_time,
        owner=lambda body: text(body, "customer.guid"),
    ),
    Register(
        system="severa",
        name=COMMUNICATIONS,
        identify=lambda body: text(body, "guid"),
        number=lambda _body: "",
        title=lambda body: text(body, "value"),
        projection=contacts.communication_projection,
        concerns=_of_contact,
        remote_time=latest_time,
        owner=lambda body: text(body, "contact.guid"),
    ),
    Register(
        system="visma_net",
        name=ERP_CUSTOMER,
        identify=lambda body: text(body, "internalId"),
        number=lambda body: text(body, "number"),
        title=lambda body: text(body, "name"),
        projection=_erp_seen,
        concerns=lambda body: (Concern("customer", ERP_CUSTOMER, text(body, "internalId")),),
        single=lambda body: text(body, "number"),
        remote_time=latest_time,
        organisation=organisation,
        mapping_version=TABLE.version("visma_net"),
        unmapped=_notes_off,
    ),
    Register(
        system="visma_net",
        name=ERP_CONTACT,
        identify=lambda body: text(body, "contactId"),
        number=lambda body: text(body, "contactId"),
        title=lambda body: " ".join(one for one in (text(body, "firstName"), text(body, "lastName")) if one),
        projection=lambda body: contacts.TABLE.seen("visma_net", body),
        mapping_version=contacts.TABLE.version("visma_net"),
        concerns=_of_account,
        single=lambda body: text(body, "contactId"),
        remote_time=latest_time,
        owner=lambda body: text(body, "businessAccount"),
    ),
    reference("severa", COMMUNICATION_TYPES, "guid", "name", "type", "isActive"),
)
