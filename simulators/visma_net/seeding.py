"""Fills a company of the simulator from the facts both simulators share (``simulators.seed``)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from simulators import seed
from simulators.clock import SET_UP_BEFORE
from simulators.visma_net.contacts import new_contact
from simulators.visma_net.customers import new_customer
from simulators.visma_net.inventory import new_item
from simulators.visma_net.projects import new_project
from simulators.visma_net.state import Company, Dimension, Period, Row, Series, Simulation, Vat

SUPPLIERS = (
    # number follows the series; the shared facts name no suppliers.
    ("Resebyrån Tåg & Flyg AB", "556067-8901", "SE556067890101", "SE"),
    ("Kodverkstan i Lund AB", "556078-9012", "SE556078901201", "SE"),
    ("Kontorsgrossisten AB", "556089-0123", "SE556089012301", "SE"),
)
_CLASS_ACCOUNTS = {
    "PRODUCT": ("3001", "4010"),
    "LABOR": ("3041", "4600"),
    "EXPENSE": ("3520", "5800"),
    "SERVICE": ("3041", "4600"),
}


def company_of(simulation: Simulation, firm: seed.Firm, *, registers: bool = True) -> Company:
    """A company with the firm's set-up and, with ``registers``, its customers, items and projects; it is
    registered with the simulation together with the firm's application."""
    company = Company(firm.erp_tenant_id.lower(), firm.name, simulation.switches, simulation.clock)
    _set_up(company, firm)
    if registers:
        company.clock = lambda: simulation.clock() - SET_UP_BEFORE
        _fill(company, firm)
        company.clock = simulation.clock
    return simulation.add(company, firm.erp_client_id, firm.erp_client_secret)


def firm_of(what: int | str) -> seed.Firm:
    """``nordkonsult``, or a number for a firm of its own. Raises ValueError for anything else."""
    if what == "nordkonsult":
        return seed.NORDKONSULT
    return seed.scaled(int(what))


def _set_up(company: Company, firm: seed.Firm) -> None:
    company.base_currency = firm.currency
    company.countries = {country.code2: country.name for country in seed.COUNTRIES}
    home = {"id": firm.country, "name": company.countries[firm.country]}
    company.organization = {
        "corporateId": firm.organisation_number,
        "vatRegistrationId": firm.vat_number,
        "defaultCountry": home,
        "mainAddress": {
            "addressId": 1,
            "addressLine1": firm.address.line,
            "addressLine2": "",
            "addressLine3": "",
            "postalCode": firm.address.postal_code,
            "city": firm.address.city,
            "country": home,
            "county": None,
        },
        "mainContact": {"contactId": 1, "name": firm.name},
    }
    _set_up_books(company, firm)
    _set_up_classes(company)
    company.units = set(seed.UNITS)
    company.payment_methods = {"1": {"description": "Bankgiro"}}
    _number(company)
    _open_periods(company)
    template = {
        "projectID": seed.PROJECT_TEMPLATE,
        "description": "Kundprojekt",
        "startDate": _midnight(date(2020, 1, 1)),
        "billingPeriod": "OnDemand",
        "hold": False,
        "tasks": [
            {"taskId": seed.PROJECT_TASK, "description": "Allmänt", "status": "Active"},
        ],
    }
    new_project(company, template, template=True)


def _set_up_books(company: Company, firm: seed.Firm) -> None:
    for number, branch in enumerate(firm.branches, 1):
        company.branches[branch.number] = {
            "branchId": number,
            "name": branch.name,
            "isMainBranch": number == 1,
            "corporateId": firm.organisation_number,
            "vatRegistrationId": firm.vat_number,
        }
    for category in seed.VAT_CATEGORIES:
        company.vat_categories[category.id] = {"description": category.description}
    for zone in seed.VAT_ZONES:
        company.vat_zones[zone.id] = {
            "description": zone.description,
            "default_category": zone.default_category,
        }
    for rule in seed.VAT_RULES:
        company.vats[rule.vat_id] = Vat(rule.vat_id, rule.description, str(rule.percent), rule.reverse)
        company.vat_rules[rule.category, rule.zone] = rule.vat_id
    for terms in seed.CREDIT_TERMS:
        company.credit_terms[terms.id] = {"description": terms.description, "days": terms.days}
    for currency in seed.CURRENCIES:
        company.currencies[currency.code] = {
            "description": currency.name,
            "symbol": currency.symbol,
            "rate": str(currency.rate),
        }
    for account in seed.ACCOUNTS:
        cash = account.number == "1930"
        body = {"type": account.type, "active": True, "description": account.name, "cash": cash}
        company.new_row("account", account.number, body)
    company.posting_classes = {"1": "Försäljning"}


def _set_up_classes(company: Company) -> None:
    for item_class in seed.ITEM_CLASSES:
        sales, expense = _CLASS_ACCOUNTS.get(item_class.id, ("3041", "4600"))
        company.item_classes[item_class.id] = {
            "description": item_class.description,
            "type": item_class.type,
            "vat_category": item_class.vat_category,
            "unit": item_class.unit,
            "sales_account": sales,
            "expense_account": expense,
        }
    for customer_class in seed.CUSTOMER_CLASSES:
        company.customer_classes[customer_class.id] = {
            "description": customer_class.description,
            "vat_zone": customer_class.vat_zone,
            "credit_terms": customer_class.credit_terms,
            "currency": customer_class.currency,
        }


def _open_periods(company: Company) -> None:
    this_year = company.today().year
    for year in range(min(2024, this_year - 1), this_year + 2):
        for month in range(1, 13):
            period = f"{year:04d}{month:02d}"
            company.periods[period] = Period(period)


def _number(company: Company) -> None:
    for series in seed.NUMBER_SERIES:
        width = len(str(series.first))
        company.series[series.id] = Series(series.id, series.description, series.first, series.last, width)
    for key in seed.SEGMENTED_KEYS:
        company.dimensions[key.id] = Dimension(
            key.id, key.description, key.length, key.auto_number, key.series
        )
    credit = "ARCREDIT" if "ARCREDIT" in company.series else "ARINVOICE"
    company.document_series = {
        "Invoice": "ARINVOICE",
        "CreditNote": credit,
        "Payment": "ARPAYMENT",
        "Supplier": "APBILL",
        "Batch": "BATCH",
    }


def _midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time())


def _address(address: seed.Address) -> dict[str, Any]:
    return {
        "addressLine1": address.line,
        "postalCode": address.postal_code,
        "city": address.city,
        "countryId": address.country,
    }


def _fill(company: Company, firm: seed.Firm) -> None:
    customers: dict[str, Row] = {}
    for customer in sorted(firm.customers, key=lambda one: one.number or 0):
        if not customer.in_erp or customer.internal or customer.number is None:
            continue
        # The series is set so that each customer gets the number both systems know it by.
        company.series["CUSTOMER"].given = customer.number - 1
        row = new_customer(company, _customer(customer))
        customers[customer.key] = row
        for contact in customer.contacts:
            new_contact(company, _contact(contact, row))
    for item in firm.items:
        if item.in_erp:
            new_item(
                company,
                {
                    "inventoryNumber": item.code,
                    "description": item.name,
                    "itemClass": item.item_class,
                    "type": item.erp_type,
                    "vatCode": item.vat_category,
                    "defaultPrice": Decimal(item.price),
                    "baseUnit": item.unit,
                    "salesAccount": item.sales_account,
                },
            )
    for project in firm.projects:
        if project.in_erp:
            sent = {
                "projectID": str(project.number),
                "description": project.name,
                "customer": customers[project.customer_key].key,
                "template": seed.PROJECT_TEMPLATE,
                "startDate": _midnight(project.start),
                "hold": False,
            }
            new_project(company, sent)
    for name, corporate, vat, country in SUPPLIERS:
        company.new_row(
            "supplier", company.take_number("SUPPLIER"), supplier_body(company, name, corporate, vat, country)
        )


def _customer(customer: seed.Customer) -> dict[str, Any]:
    sent: dict[str, Any] = {
        "name": customer.name,
        "customerClassId": customer.customer_class,
        "status": "Active" if customer.active_in_erp else "Inactive",
        "currencyId": customer.currency,
        "creditTermsId": str(customer.payment_term),
        "corporateId": customer.organisation_number,
        "vatRegistrationId": customer.vat_number,
        "mainAddress": _address(customer.address),
        "mainContact": {
            "name": customer.name,
            "email": customer.email,
            "web": customer.website,
            "attention": customer.notes,
        },
    }
    if customer.billing_address is not None:
        sent["invoiceAddress"] = _address(customer.billing_address)
    return sent


def _contact(contact: seed.Contact, owner: Row) -> dict[str, Any]:
    return {
        "firstName": contact.first_name,
        "lastName": contact.last_name,
        "position": contact.title,
        "email": contact.email,
        "phone1": contact.mobile,
        "phone2": contact.phone,
        "title": contact.salutation,
        "businessAccount": owner.key,
        "sameAsAccount": True,
    }


def supplier_body(
    company: Company, name: str, corporate: str = "", vat: str = "", country: str = "SE"
) -> dict[str, Any]:
    """A supplier in its read shape."""
    return {
        "name": name,
        "status": "Active",
        "mainAddress": {
            "addressId": company.next_id(),
            "addressLine1": "",
            "postalCode": "",
            "city": "",
            "country": {"id": country, "name": company.countries[country]},
        },
        "mainContact": {"contactId": company.next_id(), "name": name},
        "accountReference": "",
        "supplierClass": {"id": "1", "description": "Leverantörer"},
        "creditTerms": {"id": "30", "description": "30 dagar netto"},
        "currencyId": company.base_currency,
        "corporateId": corporate,
        "vatRegistrationId": vat,
        "vatZone": {"id": "01", "description": "Sverige"},
    }
