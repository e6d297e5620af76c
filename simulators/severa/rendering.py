"""From records to the vendor's output models: references filled in, audit stamps and computed fields added.

References are rendered at the time of the answer, so that a customer's new number shows on its projects at once.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from simulators.severa.fields import Field
from simulators.severa.invoices import can_be_deleted, totals
from simulators.severa.models import MODELS, WITHOUT_AUDIT
from simulators.severa.organisation import Organisation, derived, stamp
from simulators.severa.registers import Record

Rendered = dict[str, Any]


def render(org: Organisation, register: str, record: Record) -> Rendered:
    """Give a record as the vendor's output model: JSON-ready but for Decimals."""
    out: Rendered = {"guid": record.guid}
    data = record.data
    for name, one in MODELS[register].items():
        out[name] = _value(org, one, data.get(name))
    if register not in WITHOUT_AUDIT:
        out["createdDateTime"] = stamp(record.created)
        out["createdBy"] = _user(org, record.created_by)
        out["lastUpdatedDateTime"] = None if record.updated is None else stamp(record.updated)
        out["lastUpdatedBy"] = _user(org, record.updated_by)
    finish = _FINISH.get(register)
    if finish is not None:
        finish(org, record, out)
    return out


def money(amount: Decimal, code: str) -> Rendered:
    """Give a money object of the output kind."""
    return {"amount": amount, "currencyCode": code, "multiCurrencyInfo": None}


def _value(org: Organisation, one: Field, value: Any) -> Any:
    if value is None:
        return None
    if one.kind == "ref":
        return _reference(org, one, value)
    if one.kind == "refs":
        return [_reference(org, one, guid) for guid in value]
    if one.kind in ("money", "moneyn"):
        return {
            "amount": value["amount"],
            "currencyCode": value["currencyCode"],
            "multiCurrencyInfo": value.get("multiCurrencyInfo"),
        }
    if one.kind == "freetext":
        return {"value": value, "text": value, "plainText": value, "allowTags": True, "tagContext": "Invoice"}
    return value


def _reference(org: Organisation, one: Field, guid: str) -> Rendered:
    record = org.record(one.target, guid)
    out: Rendered = {"guid": guid}
    for name in one.shown:
        out[name] = None if record is None else _shown(org, one.target, record, name)
    return out


def _shown(org: Organisation, register: str, record: Record, name: str) -> Any:
    special = _SHOWN.get((register, name))
    return special(org, record) if special is not None else record.data.get(name)


def _full_name(_org: Organisation, record: Record) -> str:
    return f"{record.data['firstName']} {record.data['lastName']}"


def _country_name(org: Organisation, record: Record) -> str | None:
    country = org.record("countries", record.data.get("country"))
    return None if country is None else country.data["name"]


def _company(name: str) -> Callable[[Organisation, Record], Any]:
    def shown(org: Organisation, record: Record) -> Any:
        return company_fields(org, record)[name]

    return shown


def _unit_company(org: Organisation, record: Record) -> Any:
    unit = org.record("businessunits", record.data.get("businessUnit")) or org.company_unit()
    return None if unit is None else company_fields(org, unit)["companyGuid"]


def company_fields(org: Organisation, unit: Record) -> Rendered:
    """Give the computed company fields of a business unit."""
    head = org.company_unit_of(unit)
    country = next((one.guid for one in org.register("countries") if one.data["isRegistrationCountry"]), None)
    currency = next(
        (one.guid for one in org.register("currencies") if one.data["isOrganizationCurrency"]), None
    )
    return {
        "companyGuid": org.company_guid if head.data["parentGuid"] is None else derived(head.guid, "company"),
        "companyName": head.data["name"],
        "companyBusinessUnitGuid": head.guid,
        "companyCountryGuid": country,
        "companyCurrencyGuid": currency,
    }


_SHOWN: dict[tuple[str, str], Callable[[Organisation, Record], Any]] = {
    ("users", "name"): _full_name,
    ("contactpersons", "name"): _full_name,
    ("addresses", "country"): _country_name,
    ("projects", "companyGuid"): _unit_company,
    ("users", "companyGuid"): _unit_company,
    **{
        ("businessunits", name): _company(name)
        for name in (
            "companyGuid",
            "companyName",
            "companyBusinessUnitGuid",
            "companyCountryGuid",
            "companyCurrencyGuid",
        )
    },
}


def _user(org: Organisation, guid: str | None) -> Rendered | None:
    record = org.record("users", guid)
    if record is None:
        return None
    data = record.data
    return {
        "code": data["code"],
        "name": _full_name(org, record),
        "guid": record.guid,
        "firstName": data["firstName"],
        "lastName": data["lastName"],
    }


# --- What single models have beside their fields --------------------------------------------------------------------


def _customer(_org: Organisation, _record: Record, out: Rendered) -> None:
    out.update({"industry": None, "pricelist": None, "invoiceTemplate": None})


def _address(_org: Organisation, _record: Record, out: Rendered) -> None:
    out["countryRegion"] = None


def _contact(org: Organisation, record: Record, out: Rendered) -> None:
    out["name"] = _full_name(org, record)
    out["role"] = None
    out["phoneNumbers"], out["emails"] = [], []
    for communication in org.register("contactcommunications").find("contact", record.guid):
        kind = org.record("communicationtypes", communication.data["communicationType"])
        if kind is not None and kind.data["type"] == "EmailAddress":
            out["emails"].append(communication.data["value"])
        elif kind is not None and kind.data["type"] in ("Phone", "MobilePhone", "IPPhone"):
            out["phoneNumbers"].append(communication.data["value"])


_UNUSED_BY_USERS = (
    "country",
    "countryRegion",
    "culture",
    "defaultActivityType",
    "language",
    "lastLogin",
    "notificationSettings",
    "permissionProfile",
    "satisfaction",
    "superiorUser",
    "timezone",
    "workContract",
    "workType",
)


def _person(_org: Organisation, _record: Record, out: Rendered) -> None:
    out.update(dict.fromkeys(_UNUSED_BY_USERS))
    out["keywords"] = []


def _bank_account(org: Organisation, _record: Record, out: Rendered) -> None:
    out["company"] = {"guid": org.company_guid, "name": org.name}


def _reimbursed_hours(_org: Organisation, _record: Record, out: Rendered) -> None:
    out["overtime"] = None


def _travel_type(_org: Organisation, record: Record, out: Rendered) -> None:
    out["isMileage"] = record.data["expenseClass"] == "Mileage"
    out["isDailyAllowance"] = record.data["expenseClass"] == "DailyAllowance"


def _unit(org: Organisation, record: Record, out: Rendered) -> None:
    out.update(company_fields(org, record))


def _project(org: Organisation, record: Record, out: Rendered) -> None:
    for hidden in ("projectStatusType", "projectStatusDescription", "salesStatusType"):
        del out[hidden]
    project_type = org.record("projectstatustypes", record.data["projectStatusType"])
    out["projectStatus"] = project_type and {
        "guid": derived(record.guid, "project status"),
        "name": project_type.data["name"],
        "description": record.data["projectStatusDescription"],
        "projectStatusTypeGuid": project_type.guid,
    }
    sales_type = org.record("salesstatustypes", record.data["salesStatusType"])
    # The list says nothing of won or lost: that stands in the sales status type.
    out["salesStatus"] = sales_type and {
        "guid": derived(record.guid, "sales status"),
        "name": sales_type.data["name"],
        "salesStatusTypeGuid": sales_type.guid,
    }
    out.update(
        {
            "leadSource": None,
            "pricelist": None,
            "invoiceTemplate": None,
            "defaultWorkType": None,
            "isMileageBillable": True,
            "isDailyAllowanceBillable": True,
            "isOtherTravelExpensesBillable": True,
            "keywords": [],
            "calculatedCompletionPercentage": None,
        }
    )


def _phase(org: Organisation, record: Record, out: Rendered) -> None:
    project = org.record("projects", record.data["project"])
    currency = org.record("currencies", project.data["currency"]) if project else None
    out["currencyCode"] = currency and {
        "guid": currency.guid,
        "name": currency.data["name"],
        "code": currency.data["code"],
        "symbol": currency.data["symbol"],
    }
    out["phaseStatus"] = None


def _fee(_org: Organisation, _record: Record, out: Rendered) -> None:
    out.update({"billingDependencyPhase": None, "recurrenceRuleGuid": None})


def _work_hour(_org: Organisation, record: Record, out: Rendered) -> None:
    out["billableStatus"] = "Billable" if record.data["isBillable"] else "NotBillable"
    out["isModifiable"] = record.data["invoice"] is None
    out["overtime"] = None


def _travel_expense(_org: Organisation, _record: Record, out: Rendered) -> None:
    out["unitCostExcludingPurchaseVat"] = out["unitCost"]
    out["attachmentCount"] = 0
    out.update(
        {
            "travelReimbursement": None,
            "billingDependencyPhase": None,
            "costAccount": None,
            "costCenter": None,
            "salesAccount": None,
        }
    )


def _row(_org: Organisation, _record: Record, out: Rendered) -> None:
    out.update({"vatAccount": None, "salesReceivableAccount": None})


def _invoice(org: Organisation, record: Record, out: Rendered) -> None:
    currency = org.record("currencies", record.data["currency"])
    code = org.currency_code if currency is None else str(currency.data["code"])
    sums = totals(org, record)
    out["totalIncludingTax"] = money(sums.including_tax, code)
    out["totalExcludingTax"] = money(sums.excluding_tax, code)
    out["totalTax"] = money(sums.tax, code)
    out["workHoursTotalExcludingTax"] = money(sums.by_row_type["Hours"], code)
    out["projectFeesTotalExcludingTax"] = money(sums.by_row_type["ProjectFees"], code)
    out["projectTravelExpensesTotalExcludingTax"] = money(sums.by_row_type["TravelExpenses"], code)
    out["flatRatesTotalExcludingTax"] = money(sums.by_row_type["FlatRate"], code)
    out["workHoursQuantity"] = sums.hours
    out["receiverKvkNumber"] = out["senderKvkNumber"] = None
    out["invoiceTemplate"] = None
    out["culture"] = {"name": "svenska (Sverige)", "englishName": "Swedish (Sweden)", "code": "sv-SE"}
    out["canBeDeleted"] = can_be_deleted(org, record)


def _billing_customer(_org: Organisation, _record: Record, out: Rendered) -> None:
    out["canBeDeleted"] = True


def _file(org: Organisation, record: Record, out: Rendered) -> None:
    held = org.record("files", record.data.get("fileGuid", record.guid))
    out.pop("data", None)
    out["size"] = 0 if held is None else len(held.data["data"])


def _project_file(org: Organisation, record: Record, out: Rendered) -> None:
    _file(org, record, out)
    out.update({"category": "Projects", "usages": [], "isReadOnly": False})


def _invoice_file(org: Organisation, record: Record, out: Rendered) -> None:
    _file(org, record, out)
    out["category"] = "Invoice"


def _reimbursed(_org: Organisation, _record: Record, out: Rendered) -> None:
    # The vendor's model types this project's number as text, unlike everywhere else.
    if out["project"] is not None and out["project"]["number"] is not None:
        out["project"]["number"] = str(out["project"]["number"])


def _deleted(_org: Organisation, record: Record, out: Rendered) -> None:
    # A tombstone bears the guid of what is gone.
    out["guid"] = record.data["gone"]


_FINISH: dict[str, Callable[[Organisation, Record, Rendered], None]] = {
    "customers": _customer,
    "addresses": _address,
    "contactpersons": _contact,
    "travelexpensetypes": _travel_type,
    "businessunits": _unit,
    "projects": _project,
    "phases": _phase,
    "projectfees": _fee,
    "workhours": _work_hour,
    "projecttravelexpenses": _travel_expense,
    "invoicerows": _row,
    "invoices": _invoice,
    "projectbillingcustomers": _billing_customer,
    "files": _file,
    "projectfiles": _project_file,
    "invoicefiles": _invoice_file,
    "users": _person,
    "bankaccounts": _bank_account,
    "reimbursedworkhours": _reimbursed_hours,
    "reimbursedprojectfees": _reimbursed,
    "reimbursedprojecttravelexpenses": _reimbursed,
    "deletedprojectfees": _deleted,
}
