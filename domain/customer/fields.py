"""The mapping of customers, and the registers as the poller reads them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain.fields import Field
from domain.mapper import flag, latest_time, read, text
from domain.ports import Json
from domain.registers import Concern, Register
from domain.text import canonical, lines

CUSTOMERS = "customers"
ERP_CUSTOMER = "customer"
ADDRESSES = "customers/addresses"
CUSTOMER_CLASSES = "customer/customerClass"
CREDIT_TERMS = "creditTerm"
CURRENCIES = "currencies"
COUNTRIES = "localization/countries"

# Open question: whether a new customer's headquarter address is set by a reference, PATCH /headquarterAddress/guid.
HEADQUARTER_REFERENCE = "headquarterAddress.guid"

# Open question: whether list rows of customers show the credit terms; an empty one on a list row is 'not known'.
TERMS_MAY_BE_MISSING_ON_LISTS = True

# Severa numbers are 64-bit; a number that is only passed through while two customers swap theirs is taken from here.
INTERIM_NUMBERS = range(900_000_000, 1_000_000_000)

ACTIVE_BY_STATUS: Mapping[str, bool] = MappingProxyType(
    {"Active": True, "OnHold": True, "CreditHold": True, "OneTime": True, "Inactive": False}
)

FIELDS = (
    Field("name", "name", "name", "↔", note="unique in Severa"),
    Field("number", "number", "number", "←", "number", "visma_net", note="the ERP numbers customers"),
    Field(
        "vat_number", "vatNumber", "vatRegistrationId", "↔", "organisation number", note="written as typed"
    ),
    Field("currency", "currency.code", "currencyId", "↔", note="on create; later differences are problems"),
    Field("payment_term", "paymentTerm", "creditTerms.id", "↔", "credit terms", erp_write="creditTermsId"),
    Field("email", "email", "mainContact.email", "↔"),
    Field("website", "website", "mainContact.web", "↔"),
    Field("active", "isActive", "status", "↔", "active", note="only Active and Inactive are written"),
    Field(
        "customer_class", "", "customerClass.id", "→", "choice", erp_write="customerClassId", note="R-CUS-6"
    ),
    Field(
        "address_line",
        "headquarterAddress.addressline",
        "mainAddress.addressLine1",
        "→",
        "lines",
        note="lines 1-3",
    ),
    Field("postal_code", "headquarterAddress.postalCode", "mainAddress.postalCode", "→"),
    Field("city", "headquarterAddress.city", "mainAddress.city", "→"),
    Field(
        "country",
        "headquarterAddress.country",
        "mainAddress.country.id",
        "→",
        "country",
        erp_write="mainAddress.countryId",
    ),
)
ADDRESS_FIELDS = ("address_line", "postal_code", "city", "country")


def severa_values(body: Json, address: Json | None = None) -> dict[str, str]:
    """The mapped fields of a Severa customer as canonical strings; ``country`` is the country's name there.

    ``address``: the address to use instead of the headquarter's; without any the address fields are left out.
    """
    values = {
        "name": text(body, "name"),
        "number": text(body, "number"),
        "vat_number": text(body, "vatNumber"),
        "currency": text(body, "currency.code"),
        "payment_term": text(body, "paymentTerm"),
        "email": text(body, "email"),
        "website": text(body, "website"),
        "active": canonical(flag(read(body, "isActive"))),
    }
    place = address or read(body, "headquarterAddress")
    if place:
        values |= {
            "address_line": "\n".join(address_lines(text(place, "addressline"))),
            "postal_code": text(place, "postalCode"),
            "city": text(place, "city"),
            # An address has its country as an object, the headquarter address as a name.
            "country": text(place, "country.name") or _name(read(place, "country")),
        }
    return values


def erp_values(body: Json, *, listed: bool = False) -> dict[str, str]:
    """The mapped fields of an ERP customer as canonical strings; ``country`` is the two-letter code there.

    ``listed``: the body may be a list row, on which empty credit terms mean 'not shown'.
    """
    place = read(body, "mainAddress")
    values = {
        "name": text(body, "name"),
        "number": text(body, "number"),
        "vat_number": text(body, "vatRegistrationId"),
        "currency": text(body, "currencyId"),
        "payment_term": text(body, "creditTerms.id"),
        "email": text(body, "mainContact.email"),
        "website": text(body, "mainContact.web"),
        "customer_class": text(body, "customerClass.id"),
        "address_line": "\n".join(line for n in (1, 2, 3) if (line := text(place, f"addressLine{n}"))),
        "postal_code": text(place, "postalCode"),
        "city": text(place, "city"),
        "country": text(place, "country.id"),
    }
    if listed and TERMS_MAY_BE_MISSING_ON_LISTS and not values["payment_term"]:
        del values["payment_term"]
    active = ACTIVE_BY_STATUS.get(text(body, "status"))
    if active is not None:
        values["active"] = canonical(active)
    return values


def address_lines(addressline: str) -> list[str]:
    """The lines of a Severa address as the ERP's three; what is more is joined into the third."""
    found = lines(addressline)
    return found if len(found) <= 3 else [*found[:2], ", ".join(found[2:])]


def _name(value: object) -> str:
    return canonical(value) if isinstance(value, str) else ""


def _severa_projection(body: Json) -> Mapping[str, str]:
    internal = canonical(flag(read(body, "isInternal"), default=False))
    return {**severa_values(body), "internal": internal}


def _erp_projection(body: Json) -> Mapping[str, str]:
    return erp_values(body, listed=True)


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
    ),
    Register(
        system="visma_net",
        name=ERP_CUSTOMER,
        identify=lambda body: text(body, "internalId"),
        number=lambda body: text(body, "number"),
        title=lambda body: text(body, "name"),
        projection=_erp_projection,
        concerns=lambda body: (Concern("customer", ERP_CUSTOMER, text(body, "internalId")),),
        remote_time=latest_time,
    ),
    _reference("severa", CURRENCIES, "guid", "name", "code", "isOrganizationCurrency"),
    _reference("severa", COUNTRIES, "guid", "name", "code2", "name", "englishName"),
    _reference("visma_net", CUSTOMER_CLASSES, "id", "description", "description"),
    _reference(
        *("visma_net", CREDIT_TERMS, "termsId", "description"),
        *("dueDateType", "dueDay1", "instalmentType", "numberOfInstalments"),
    ),
)
