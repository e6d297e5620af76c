"""From the shared facts about a firm to a Severa organisation with everything in its registers."""

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
    _localisation(org, firm)
    country = org.by_any("countries", firm.country)
    for percent in seed.VAT_RATES:
        _add(
            org,
            "vatrates",
            percentage=percent,
            code=f"SE{int(percent)}",
            isDefault=percent == seed.VAT_RATES[0],
            countryGuid=country,
        )
    for account in seed.ACCOUNTS:
        if account.type == "Income":
            _add(org, "salesaccounts", name=account.name, number=account.number)
        elif account.type == "Expense":
            _add(org, "costaccounts", name=account.name, number=account.number)
    _add(org, "costcenters", name="Konsult", identifier="100", isDefault=True)
    for branch in firm.branches:
        unit = _add(org, "businessunits", name=branch.name, code=branch.code, vatNumber=firm.vat_number)
        _add(org, "businessunits", name=f"Konsult {branch.name}", code=f"{branch.code}0", parentGuid=unit)
        _add(
            org,
            "bankaccounts",
            bankName="Bankgirot",
            accountNumber="5050-1055",
            businessUnit=unit,
            accountNumberFormat="bban",
        )
    _users(org, firm)
    for name, kind in _COMMUNICATIONS:
        _add(org, "communicationtypes", name=name, type=kind)
    for order, name in enumerate(("Planerad", "Pågår", "Klar"), start=1):
        _add(org, "projectstatustypes", name=name, sortOrder=order)
    for name, state, probability in (
        ("Offert", "InProgress", 50),
        ("Vunnen", "Won", 100),
        ("Förlorad", "Lost", 0),
    ):
        _add(org, "salesstatustypes", name=name, salesState=state, defaultProbability=probability)
    _add(org, "productcategories", name="Standard", isDefault=True, code="STD")
    set_statuses(org, seed.INVOICE_STATUSES[statuses])
    _details(org, firm)
    return org


def seeded(firm: seed.Firm, statuses: str, switches: Switches, *, secret: str | None = None) -> Organisation:
    """Give an organisation with the firm's customers, items and projects too."""
    org = blank(firm, statuses, switches, secret=secret)
    for customer in firm.customers:
        if customer.in_severa:
            _customer(org, customer)
    if not any(customer.internal for customer in firm.customers):
        _internal(org, firm)
    for item in firm.items:
        if item.in_severa:
            _item(org, item)
    for project in firm.projects:
        add_project(
            org,
            number=project.number,
            name=project.name,
            customer=firm.customer(project.customer_key).name,
            projectOwner=project.owner_code,
            startDate=project.start.isoformat(),
            isClosed=project.closed,
            isInternal=project.internal,
            orderNumber=project.order_number or None,
            yourReference=project.your_reference or None,
            salesStatusType=project.state,
        )
    org.settings["nextProjectNumber"] = max([1000, *(one.number for one in firm.projects)]) + 1
    numbers = [one.number for one in firm.customers if one.number is not None]
    org.settings["nextCustomerNumber"] = max([0, *numbers]) + 1
    return org


def set_statuses(org: Organisation, statuses: tuple[seed.InvoiceStatus, ...]) -> None:
    """Put one of the guide's sets of invoice statuses into an organisation that has none yet."""
    for order, status in enumerate(statuses, start=1):
        org.roles[status.role] = _add(
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


def add_project(org: Organisation, **fields: Any) -> str:
    """Add a project as a person does, with its root phase; what is left out gets the usual value. Gives the guid."""
    customer = org.record("customers", org.by_any("customers", fields.get("customer")))
    filled = {
        "businessUnit": next(iter(org.register("businessunits").records)),
        "projectOwner": next(iter(org.register("users").records)),
        "currency": customer.data["currency"] if customer else org.currency_code,
        "paymentTerm": customer.data["paymentTerm"] if customer else None,
        "salesStatusType": "Won",
        "projectStatusType": "Pågår",
        "startDate": org.now().date().isoformat(),
        **{name: value for name, value in fields.items() if value is not None},
    }
    if "number" not in filled:
        filled["number"] = org.settings["nextProjectNumber"]
        org.settings["lastProjectNumber"] = filled["number"]
        org.settings["nextProjectNumber"] += 1
    data = org.data_of("projects", filled, person=True)
    if data["isClosed"] and data["closedDate"] is None:
        data["closedDate"] = org.now().date().isoformat()
    project = org.new_guid()
    data["rootPhase"] = add_root_phase(org, project, data["name"])
    org.add("projects", data, PERSON, guid=project)
    return project


def add_root_phase(org: Organisation, project: str, name: str) -> str:
    """Add the phase that stands for a whole project and give its guid; it has no phase above it."""
    data: dict[str, Any] = {
        "name": name,
        "project": project,
        "parentPhase": None,
        "isCompleted": False,
        "isLocked": False,
        "sortOrder": 0,
        "startDate": None,
        "deadline": None,
        "workHoursEstimate": None,
        "defaultWorkType": None,
        "code": None,
    }
    return org.add("phases", data, PERSON).guid


def _add(org: Organisation, register: str, **fields: Any) -> str:
    return org.add(register, org.data_of(register, fields, person=True), PERSON).guid


def _localisation(org: Organisation, firm: seed.Firm) -> None:
    for code, name, english in _LANGUAGES:
        _add(org, "languages", code=code, name=name, englishName=english)
    zone = _add(
        org,
        "timezones",
        name="(UTC+01:00) Stockholm",
        systemName="W. Europe Standard Time",
        ianaName=firm.time_zone,
    )
    currencies: dict[str, dict[str, Any]] = {}
    for currency in seed.CURRENCIES:
        guid = _add(
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
        _add(
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
        _add(
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


def _internal(org: Organisation, firm: seed.Firm) -> None:
    _add(org, "customers", name=f"{firm.name} (internt)", isInternal=True, vatNumber=firm.vat_number)


def _customer(org: Organisation, customer: seed.Customer) -> None:
    guid = _add(
        org,
        "customers",
        name=customer.name,
        number=customer.number,
        isInternal=customer.internal,
        vatNumber=customer.vat_number,
        email=customer.email,
        website=customer.website or None,
        notes=customer.notes or None,
        currency=customer.currency,
        paymentTerm=customer.payment_term,
        invoicingVat=customer.vat_percent,
        owner=next(iter(org.register("users").records)),
        overdueInterest=Decimal("8.0"),
        timezone=next(iter(org.register("timezones").records)),
        language="sv-SE" if customer.address.country == "SE" else "en-GB",
    )
    billing = customer.billing_address
    main = _address(
        org,
        guid,
        customer.address,
        isBillingAddress=billing is None,
        isPostalAddress=True,
        isVisitAddress=True,
    )
    if billing is not None:
        _address(org, guid, billing, isBillingAddress=True)
    # As set up, not as changed: a fresh organisation has only creation stamps.
    record = org.register("customers").records[guid]
    record.data["headquarterAddress"] = main
    for contact in customer.contacts:
        person = _add(
            org,
            "contactpersons",
            firstName=contact.first_name,
            lastName=contact.last_name,
            jobTitle=contact.title,
            salutation=None if contact.salutation is None else f"{contact.salutation}.",
            customer=guid,
            addressGuid=main,
            isEmailAllowed=True,
        )
        for kind, value in (
            ("MobilePhone", contact.mobile),
            ("Phone", contact.phone),
            ("EmailAddress", contact.email),
        ):
            if value:
                _add(
                    org,
                    "contactcommunications",
                    contact=person,
                    communicationType=kind,
                    value=value,
                    isForbiddenToUse=False,
                )


def _address(org: Organisation, customer: str, address: seed.Address, **flags: bool) -> str:
    return _add(
        org,
        "addresses",
        customer=customer,
        addressline=address.line,
        postalCode=address.postal_code,
        city=address.city,
        country=address.country,
        **flags,
    )


def _item(org: Organisation, item: seed.Item) -> None:
    price = {"amount": item.price, "currencyCode": org.currency_code}
    unit = seed.UNIT_NAMES[item.unit]
    if item.register == "work":
        _add(
            org,
            "worktypes",
            name=item.name,
            code=item.code,
            isProductive=True,
            salesAccount=item.sales_account,
        )
    elif item.register == "product":
        _add(
            org,
            "products",
            name=item.name,
            code=item.code,
            unitPrice=price,
            vatRate=item.vat_percent,
            measurementUnit=unit,
            type=item.severa_type,
            salesAccount=item.sales_account,
            productCategory=next(iter(org.register("productcategories").records)),
        )
    else:
        _add(
            org,
            "travelexpensetypes",
            name=item.name,
            code=item.code,
            expenseClass=item.severa_type,
            unitCost=price,
            vatRate=item.vat_percent,
            measurementUnit=unit,
            salesAccount=item.sales_account,
            includeTime=item.severa_type != "OtherTravelExpense",
        )
