"""An organisation with everything that belongs to every organisation, before customers, items and projects."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from simulators import seed
from simulators.severa.organisation import PERSON, Organisation
from simulators.severa.switches import Switches

_LANGUAGES = (
    ("sv-SE", "Svenska", "Swedish"),
    ("en-GB", "Engelska", "English"),
    ("nb-NO", "Norska", "Norwegian"),
    ("fi-FI", "Finska", "Finnish"),
)
_COMMUNICATIONS = (
    ("Telefon", "Phone"),
    ("Mobil", "MobilePhone"),
    ("E-post", "EmailAddress"),
    ("Fax", "Fax"),
)


def blank(firm: seed.Firm, statuses: str, switches: Switches, *, secret: str | None = None) -> Organisation:
    """Give an organisation with everything that belongs to every organisation, but no customers, items or projects.

    `statuses` names one of the guide's examples (`seed.INVOICE_STATUSES`); KeyError for another word.
    """
    org = Organisation(firm.name, firm.severa_client_id, secret or firm.severa_client_secret, switches)
    # Guids come from the firm and a counter: the same in every process, so that a demo can be restarted.
    counter = iter(range(1, 10**12))
    org.new_guid = lambda: str(uuid5(NAMESPACE_URL, f"severa/{firm.severa_client_id}/{next(counter)}"))
    org.company_guid = org.new_guid()
    with org.set_up():
        _set_up(org, firm, statuses)
    return org


def _set_up(org: Organisation, firm: seed.Firm, statuses: str) -> None:
    _localisation(org, firm)
    country = org.by_any("countries", firm.country)
    for percent in seed.VAT_RATES:
        add_record(
            org,
            "vatrates",
            percentage=percent,
            code=f"SE{int(percent)}",
            isDefault=percent == seed.VAT_RATES[0],
            countryGuid=country,
        )
    for account in seed.ACCOUNTS:
        if account.type == "Income":
            add_record(org, "salesaccounts", name=account.name, number=account.number)
        elif account.type == "Expense":
            add_record(org, "costaccounts", name=account.name, number=account.number)
    add_record(org, "costcenters", name="Konsult", identifier="100", isDefault=True)
    for branch in firm.branches:
        unit = add_record(org, "businessunits", name=branch.name, code=branch.code, vatNumber=firm.vat_number)
        add_record(
            org, "businessunits", name=f"Konsult {branch.name}", code=f"{branch.code}0", parentGuid=unit
        )
        add_record(
            org,
            "bankaccounts",
            bankName="Bankgirot",
            accountNumber="5050-1055",
            businessUnit=unit,
            accountNumberFormat="Bankgiro",
        )
    _users(org, firm)
    for name, kind in _COMMUNICATIONS:
        add_record(org, "communicationtypes", name=name, type=kind)
    for order, name in enumerate(("Planerad", "Pågår", "Klar"), start=1):
        add_record(org, "projectstatustypes", name=name, sortOrder=order)
    for name, state, probability in (
        ("Offert", "InProgress", 50),
        ("Vunnen", "Won", 100),
        ("Förlorad", "Lost", 0),
    ):
        add_record(org, "salesstatustypes", name=name, salesState=state, defaultProbability=probability)
    add_record(org, "productcategories", name="Standard", isDefault=True, code="STD")
    set_statuses(org, seed.INVOICE_STATUSES[statuses])
    _details(org, firm)


def set_statuses(org: Organisation, statuses: tuple[seed.InvoiceStatus, ...]) -> None:
    """Put one of the guide's sets of invoice statuses into an organisation that has none yet."""
    for order, status in enumerate(statuses, start=1):
        org.roles[status.role] = add_record(
            org,
            "invoicestatuses",
            name=status.name,
            isDefault=status.default,
            isReadOnly=status.read_only,
            hasInvoiceNumber=status.numbered,
            isSent=status.sent,
            isWaitingPayment=status.waiting,
            isPaid=status.paid,
            isDefaultForCreditNote=status.default_for_credit_notes,
            sortOrder=order,
        )


def add_record(org: Organisation, register: str, **fields: Any) -> str:
    """Add a record as a person does and give its guid."""
    return org.add(register, org.data_of(register, fields, person=True), PERSON).guid


def _localisation(org: Organisation, firm: seed.Firm) -> None:
    for code, name, english in _LANGUAGES:
        add_record(org, "languages", code=code, name=name, englishName=english)
    zone = add_record(
        org,
        "timezones",
        name="(UTC+01:00) Stockholm",
        systemName="W. Europe Standard Time",
        ianaName=firm.time_zone,
    )
    currencies: dict[str, dict[str, Any]] = {}
    for currency in seed.CURRENCIES:
        guid = add_record(
            org,
            "currencies",
            name=currency.name,
            code=currency.code,
            rate=currency.rate,
            symbol=currency.symbol,
            isOrganizationCurrency=currency.code == firm.currency,
        )
        currencies[currency.code] = {
            "guid": guid,
            "name": currency.name,
            "code": currency.code,
            "symbol": currency.symbol,
        }
    for country in seed.COUNTRIES:
        add_record(
            org,
            "countries",
            name=country.name,
            englishName=country.english_name,
            code2=country.code2,
            code3=country.code3,
            hasRegions="NoRegion",
            isInEU=country.in_eu,
            defaultCulture="sv-SE" if country.code2 == "SE" else None,
            isRegistrationCountry=country.code2 == firm.country,
            currency=currencies.get(country.currency),
            timezone=zone,
        )


def _users(org: Organisation, firm: seed.Firm) -> None:
    unit = next(iter(org.register("businessunits").records))
    # The finance manager first: people's moves count as hers.
    for user in sorted(firm.users, key=lambda one: one.code, reverse=True):
        add_record(
            org,
            "users",
            code=user.code,
            firstName=user.first_name,
            lastName=user.last_name,
            email=user.email,
            title=user.title,
            businessUnit=unit,
            socialSecurityNumber=f"800101-0{user.code}",
            bankAccountNumber=f"8327-9 00{user.code}",
            birthDate="1980-01-01T00:00:00+01:00",
        )


def _details(org: Organisation, firm: seed.Firm) -> None:
    currency = org.record("currencies", org.by_any("currencies", firm.currency))
    country = org.record("countries", org.by_any("countries", firm.country))
    zone = next(iter(org.register("timezones")))
    language = next(iter(org.register("languages")))
    unit = next(iter(org.register("businessunits")))
    if currency is None or country is None:
        raise ValueError(f"{firm.name}: unknown currency or country")
    named = {"guid": language.guid, "name": language.data["name"], "code": language.data["code"]}
    org.details.update(
        {
            "guid": org.new_guid(),
            "name": firm.name,
            "vatNumber": firm.vat_number,
            "kvkNumber": None,
            "isVatRegistered": True,
            "registeredOffice": firm.address.city,
            "address": firm.address.line,
            "postalCode": firm.address.postal_code,
            "city": firm.address.city,
            "country": {
                "name": country.data["name"],
                "code": country.data["code2"],
                "guid": country.guid,
                "englishName": country.data["englishName"],
            },
            "phone": None,
            "fax": None,
            "termsOfServiceApprover": None,
            "eInvoiceAddress": None,
            "eInvoiceOperatorCode": None,
            "odpCompany": None,
            "currency": {
                "guid": currency.guid,
                "name": currency.data["name"],
                "code": currency.data["code"],
                "symbol": currency.data["symbol"],
            },
            "language": named,
            "formatting": named,
            "timezone": {"guid": zone.guid, "name": zone.data["name"]},
            "activeCompanies": [
                {
                    "name": firm.name,
                    "guid": org.company_guid,
                    "rootBusinessUnitGuid": unit.guid,
                    "country": {
                        "name": country.data["name"],
                        "guid": country.guid,
                        "code3": country.data["code3"],
                        "englishName": country.data["englishName"],
                    },
                    "currencyGuid": currency.guid,
                    "currencyRate": Decimal(1),
                    "currencyCode": currency.data["code"],
                    "currencySymbol": currency.data["symbol"],
                }
            ],
            "activeAddons": ["REST API"],
        }
    )
    org.settings.update(
        {
            "quickSearchSetting": "ShowOpenProjectsSalesCasesAndCustomers",
            "projectNameDisplaySetting": "ShowProjectLongName",
            "displayProjectNumber": True,
            "projectNameDisplayFormatSetting": "ProjectNamePhaseName",
            "nextProjectNumber": 1001,
            "lastProjectNumber": None,
            "nextCustomerNumber": 1,
            "lastCustomerNumber": 0,
            "nextTravelReimbursementNumber": 1,
            "lastTravelReimbursementNumber": None,
            "travelReimbursementInstructions": None,
            "isTravelExpenseImmediatelyInvoiceable": True,
            "travelEntryClosingDate": None,
            "travelExpenseReimbursementStartDate": None,
            "nextPurchaseOrderNumber": None,
            "lastPurchaseOrderNumber": None,
            "purchaseOrderNumberPrefix": None,
            "currencyRoundingType": "AwayFromZero",
            "overdueInterest": Decimal("8.0"),
            "paymentTerm": firm.payment_term,
            "nextInvoiceNumber": 1,
            "lastInvoiceNumber": None,
            "workWeek": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"],
            "workHourApprovalMode": "None",
            "workHourEntryFormat": "Quantity",
            "worktimeEntryClosingDate": None,
            "paymentReferenceNumberDisplaySetting": "ReferenceNumber",
            "uniqueIdentifierForProductsAndWorktypes": True,
            "isAddingNewKeywordsFromProjectAllowed": True,
            "isIdenticalPhaseCodesAllowed": True,
            "isWorkHourDescriptionMandatory": False,
            "setCreditNoteInvoiceNumber": False,
            "isCustomerSearchAllowed": True,
            "flextimeCalculationStartDate": None,
            "maxFlextimeBalanceLimit": None,
            "minFlextimeBalanceLimit": None,
            "lastFlextimeCalculationEndTime": None,
            "lastFlextimeCalculationUser": None,
            "defaultFooterColumn1": None,
            "defaultFooterColumn2": None,
            "defaultFooterColumn3": None,
            "isEnteringHourPlannedInvoiceQuantityAllowed": False,
        }
    )
