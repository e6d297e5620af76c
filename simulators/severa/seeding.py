"""From the shared facts about a firm to a Severa organisation with everything in its registers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from simulators import seed
from simulators.severa.organisation import PERSON, Organisation
from simulators.severa.setting_up import add_record, blank
from simulators.severa.switches import Switches


def seeded(firm: seed.Firm, statuses: str, switches: Switches, *, secret: str | None = None) -> Organisation:
    """Give an organisation with the firm's customers, items and projects too."""
    org = blank(firm, statuses, switches, secret=secret)
    with org.set_up():
        _fill(org, firm)
    return org


def _fill(org: Organisation, firm: seed.Firm) -> None:
    for customer in firm.customers:
        if customer.in_severa:
            _customer(org, customer)
    if not any(customer.internal for customer in firm.customers):
        add_internal_customer(org, firm)
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
        "originalDeadline": None,
        "originalStartDate": None,
        "originalWorkHoursEstimate": None,
        "defaultWorkType": None,
        "code": None,
    }
    return org.add("phases", data, PERSON).guid


def add_internal_customer(org: Organisation, firm: seed.Firm) -> None:
    """Add the one customer that stands for the firm itself and carries its internal projects."""
    add_record(org, "customers", name=f"{firm.name} (internt)", isInternal=True, vatNumber=firm.vat_number)


def _customer(org: Organisation, customer: seed.Customer) -> None:
    guid = add_record(
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
        person = add_record(
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
                add_record(
                    org,
                    "contactcommunications",
                    contact=person,
                    communicationType=kind,
                    value=value,
                    isForbiddenToUse=False,
                )


def _address(org: Organisation, customer: str, address: seed.Address, **flags: bool) -> str:
    return add_record(
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
        add_record(
            org,
            "worktypes",
            name=item.name,
            code=item.code,
            isProductive=True,
            salesAccount=item.sales_account,
        )
    elif item.register == "product":
        add_record(
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
        add_record(
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
