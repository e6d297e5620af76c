"""The mapping of customers, and the registers as the poller reads them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain.customer import addresses, contacts
from domain.fields import Field
from domain.mapper import flag, latest_time, read, text
from domain.model import Json, Record
from domain.registers import Concern, Register
from domain.setup.settings import TenantSettings
from domain.text import canonical, cut, name_key, one_line, organisation_number, same_organisation

CUSTOMERS = "customers"
ERP_CUSTOMER = "customer"
ADDRESSES = "addresses"
ADDRESSES_OF = "customers/addresses"
CONTACTS = "contactpersons"
COMMUNICATIONS = "contactcommunications"
COMMUNICATION_TYPES = "communicationtypes"
ERP_CONTACT = "contact"
CUSTOMER_CLASSES = "customer/customerClass"
CREDIT_TERMS = "creditTerm"
CURRENCIES = "currencies"
COUNTRIES = "localization/countries"

# Open question: whether a customer's headquarter address is set by a reference, PATCH /headquarterAddress/guid.
HEADQUARTER_REFERENCE = "headquarterAddress.guid"

# Open question: whether list rows of customers show the credit terms; an empty one on a list row is 'not known'.
TERMS_MAY_BE_MISSING_ON_LISTS = True

# Open question: how much the ERP keeps of a main contact's attention.
NOTES_LIMIT = 255

# Severa numbers are 64-bit; a number that is only passed through while two customers swap theirs is taken from here.
INTERIM_NUMBERS = range(900_000_000, 1_000_000_000)

ACTIVE_BY_STATUS: Mapping[str, bool] = MappingProxyType(
    {"Active": True, "OnHold": True, "CreditHold": True, "OneTime": True, "Inactive": False}
)

# Only these two are written, and only over each other (R-CUS-7, mapping.md): OnHold, CreditHold and OneTime are decisions
# of the finance staff that one boolean cannot say; after Inactive nobody could tell which one to go back to.
WRITTEN_STATUSES = frozenset({"Active", "Inactive"})

_SEVERA_PLACES = {
    "main": "headquarterAddress",
    "invoice": "addresses[isBillingAddress]",
    "delivery": "addresses[isPostalAddress]",
}


def _address_fields() -> tuple[Field, ...]:
    found = []
    for role in addresses.ROLES:
        ours, theirs = _SEVERA_PLACES[role], addresses.BLOCKS[role]
        note = "" if role == "main" else "no such address: same as the main one"
        for part, severa, erp, write, rule in (
            ("address_line", "addressline", "addressLine1", None, "lines"),
            ("postal_code", "postalCode", "postalCode", None, "text"),
            ("city", "city", "city", None, "text"),
            ("country", "country", "country.id", "countryId", "country"),
            ("county", "countryRegion.name", "county.id", "county", "text"),
        ):
            found.append(
                Field(
                    addresses.field_name(role, part),
                    f"{ours}.{severa}",
                    f"{theirs}.{erp}",
                    "→" if part == "county" else "↔",
                    rule,
                    erp_write=f"{theirs}.{write}" if write else None,
                    note="lines 1-3" if part == "address_line" and not note else note,
                )
            )
    return tuple(found)


FIELDS = (
    Field("name", "name", "name", "↔", note="unique in Severa"),
    Field("number", "number", "number", "←", "number", "visma_net", note="the ERP numbers customers"),
    Field(
        "vat_number",
        "vatNumber",
        "vatRegistrationId",
        "↔",
        "VAT number",
        note="letters and all; written as typed",
    ),
    Field("currency", "currency.code", "currencyId", "↔", note="on create; later differences are problems"),
    Field("payment_term", "paymentTerm", "creditTerms.id", "↔", "credit terms", erp_write="creditTermsId"),
    Field("email", "email", "mainContact.email", "↔"),
    Field("website", "website", "mainContact.web", "↔"),
    Field("notes", "notes", "mainContact.attention", "↔", "one line", note="off by default (setting notes)"),
    Field("active", "isActive", "status", "↔", "active", note="only Active and Inactive are written"),
    Field(
        "customer_class", "", "customerClass.id", "→", "choice", erp_write="customerClassId", note="R-CUS-6"
    ),
    *_address_fields(),
)


def severa_values(body: Json) -> dict[str, str]:
    """The mapped fields of a Severa customer as canonical strings, without its addresses."""
    return {
        "name": text(body, "name"),
        "number": text(body, "number"),
        "vat_number": text(body, "vatNumber"),
        "currency": text(body, "currency.code"),
        "payment_term": text(body, "paymentTerm"),
        "email": text(body, "email"),
        "website": text(body, "website"),
        "notes": cut(one_line(text(body, "notes")), NOTES_LIMIT),
        "active": canonical(flag(read(body, "isActive"))),
    }


def erp_values(body: Json, *, listed: bool = False) -> dict[str, str]:
    """The mapped fields of an ERP customer as canonical strings; countries are two-letter codes.

    ``listed``: the body may be a list row, on which empty credit terms mean 'not shown'.
    """
    values = {
        "name": text(body, "name"),
        "number": text(body, "number"),
        "vat_number": text(body, "vatRegistrationId"),
        "currency": text(body, "currencyId"),
        "payment_term": text(body, "creditTerms.id"),
        "email": text(body, "mainContact.email"),
        "website": text(body, "mainContact.web"),
        "notes": one_line(text(body, "mainContact.attention")),
        "customer_class": text(body, "customerClass.id"),
        **addresses.erp_values(body),
    }
    if listed and TERMS_MAY_BE_MISSING_ON_LISTS and not values["payment_term"]:
        del values["payment_term"]
    active = ACTIVE_BY_STATUS.get(text(body, "status"))
    if active is not None:
        values["active"] = canonical(active)
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


def _severa_projection(body: Json) -> Mapping[str, str]:
    headquarter = read(body, "headquarterAddress") or {}
    return {
        **severa_values(body),
        "internal": canonical(flag(read(body, "isInternal"), default=False)),
        "headquarter": text(headquarter, "guid"),
        **{
            part: value
            for part, value in addresses.place_values(headquarter, ()).items()
            if part not in ("country", "county")
        },
        "country": addresses.country_name(headquarter),
    }


def _erp_projection(body: Json) -> Mapping[str, str]:
    return erp_values(body, listed=True)


def _address_projection(body: Json) -> Mapping[str, str]:
    values = addresses.place_values(body, ())
    values["country"] = text(body, "country.guid") or addresses.country_name(body)
    return {**values, **{name: text(body, name) for name in addresses.FLAGS.values()}}


def _reference(system: str, name: str, key: str, title: str, *mapped: str) -> Register:
    return Register(
        system="severa" if system == "severa" else "visma_net",
        name=name,
        identify=lambda body: text(body, key),
        number=lambda body: (
            text(body, key) if system != "severa" else text(body, "code") or text(body, "code2")
        ),
        title=lambda body: text(body, title),
        projection=lambda body: {path: text(body, path) for path in mapped},
        concerns=lambda _body: (),
        remote_time=latest_time,
        reference=True,
    )


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
        projection=_severa_projection,
        concerns=lambda body: (Concern("customer", CUSTOMERS, text(body, "guid")),),
        remote_time=latest_time,
        organisation=lambda body: organisation_number(text(body, "vatNumber")),
        mapping_version=3,
        unmapped=_notes_off,
    ),
    # What belongs to a customer settles with it: one row, one planner.
    Register(
        system="severa",
        name=ADDRESSES,
        identify=lambda body: text(body, "guid"),
        number=lambda _body: "",
        title=lambda body: text(body, "addressline").split("\n", maxsplit=1)[0],
        projection=_address_projection,
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
        projection=contacts.severa_projection,
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
        projection=_erp_projection,
        concerns=lambda body: (Concern("customer", ERP_CUSTOMER, text(body, "internalId")),),
        single=lambda body: text(body, "number"),
        remote_time=latest_time,
        organisation=organisation,
        mapping_version=3,
        unmapped=_notes_off,
    ),
    Register(
        system="visma_net",
        name=ERP_CONTACT,
        identify=lambda body: text(body, "contactId"),
        number=lambda body: text(body, "contactId"),
        title=lambda body: " ".join(one for one in (text(body, "firstName"), text(body, "lastName")) if one),
        projection=contacts.erp_projection,
        concerns=_of_account,
        single=lambda body: text(body, "contactId"),
        remote_time=latest_time,
        owner=lambda body: text(body, "businessAccount"),
    ),
    _reference("severa", COMMUNICATION_TYPES, "guid", "name", "type", "isActive"),
    _reference("severa", CURRENCIES, "guid", "name", "code", "isOrganizationCurrency"),
    _reference("severa", COUNTRIES, "guid", "name", "code2", "name", "englishName", "isInEU"),
    _reference("visma_net", CUSTOMER_CLASSES, "id", "description", "description"),
    _reference(
        *("visma_net", CREDIT_TERMS, "termsId", "description"),
        *("dueDateType", "dueDay1", "instalmentType", "numberOfInstalments"),
    ),
)
