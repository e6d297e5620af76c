"""Creating, patching and deleting single records: JSON Patch with `replace` only, and the rules of each register."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulators.severa import invoices
from simulators.severa.errors import bad_field, bad_request, not_allowed
from simulators.severa.fields import Field, by_lower_name, convert, lower_keys
from simulators.severa.models import MODELS
from simulators.severa.organisation import API, Organisation, stamp
from simulators.severa.registers import Record
from simulators.severa.seeding import add_root_phase

_BY_LOWER_NAME = {register: by_lower_name(fields) for register, fields in MODELS.items()}
_CODED = ("products", "worktypes", "travelexpensetypes")


# --- Creating -------------------------------------------------------------------------------------------------------


def create(org: Organisation, register: str, sent: dict[str, Any], by: str) -> Record:
    """Create a record from an input model. Raises `SeveraError` 400 where a rule is broken."""
    person = by != API
    data = org.data_of(register, sent, person=person)
    guid = org.new_guid()
    prepare = _PREPARE.get(register)
    if prepare is not None:
        prepare(org, guid, data, sent)
    check(org, register, data, None)
    record = org.add(register, data, by, guid=guid)
    if register == "projects" and data["rootPhase"] is None:
        # The phase needs the project's guid and the project the phase's.
        record.data["rootPhase"] = add_root_phase(org, guid, data["name"])
    return record


def _prepare_project(org: Organisation, _guid: str, data: dict[str, Any], sent: dict[str, Any]) -> None:
    given = lower_keys(sent)
    _statuses(org, data, lower_keys(given.get("projectstatus")), lower_keys(given.get("salesstatus")))
    customer = org.record("customers", data["customer"])
    if data["number"] is None:
        data["number"] = org.settings["nextProjectNumber"]
        org.settings["nextProjectNumber"] += 1
    if data["businessUnit"] is None:
        unit = org.company_unit()
        data["businessUnit"] = None if unit is None else unit.guid
    if data["currency"] is None:
        own = org.by_guid("currencies", org.currency_code)
        data["currency"] = customer.data["currency"] or own if customer else own
    if data["paymentTerm"] is None and customer is not None:
        data["paymentTerm"] = customer.data["paymentTerm"]
    if data["salesStatusType"] is None:
        data["salesStatusType"] = org.by_any("salesstatustypes", "Won")
    if data["projectStatusType"] is None:
        data["projectStatusType"] = next(iter(org.register("projectstatustypes").records), None)
    if data["isClosed"] and data["closedDate"] is None:
        data["closedDate"] = org.now().date().isoformat()


def _statuses(
    org: Organisation, data: dict[str, Any], project: dict[str, Any], sales: dict[str, Any]
) -> None:
    for sent, key, register, name in (
        (project, "projectstatustypeguid", "projectstatustypes", "projectStatusType"),
        (sales, "salesstatustypeguid", "salesstatustypes", "salesStatusType"),
    ):
        if key in sent:
            if org.record(register, sent[key]) is None:
                raise bad_field(key, f"The status type {sent[key]} does not exist.")
            data[name] = sent[key]
    if "description" in project:
        data["projectStatusDescription"] = project["description"]


def _prepare_work(org: Organisation, _guid: str, data: dict[str, Any], _sent: dict[str, Any]) -> None:
    project = org.record("projects", data["project"])
    if project is None:
        phase = org.record("phases", data["phase"])
        project = None if phase is None else org.record("projects", phase.data["project"])
    if project is None:
        return
    data["project"] = project.guid
    data["customer"] = project.data["customer"]
    if data["phase"] is None:
        data["phase"] = project.data["rootPhase"]


def _prepare_fee(org: Organisation, guid: str, data: dict[str, Any], sent: dict[str, Any]) -> None:
    _prepare_work(org, guid, data, sent)
    product = org.record("products", data["product"])
    own = product.data if product is not None else {}
    customer = org.record("customers", data["customer"])
    vat = None if customer is None else org.record("vatrates", customer.data["invoicingVat"])
    zero = {"amount": 0, "currencyCode": org.currency_code}
    for name, value in (
        ("productType", own.get("type") or "Materials"),
        ("name", own.get("name")),
        ("measurementUnit", own.get("measurementUnit")),
        ("vatRate", own.get("vatRate") if own else (vat.data["percentage"] if vat else None)),
        ("unitPrice", own.get("unitPrice") or zero),
        ("unitCost", own.get("unitCost") or zero),
        ("eventDate", org.now().date().isoformat()),
    ):
        if data[name] is None:
            data[name] = value


def _prepare_flat_rate(org: Organisation, _guid: str, data: dict[str, Any], _sent: dict[str, Any]) -> None:
    phase = org.record("phases", data["phase"])
    data["project"] = None if phase is None else phase.data["project"]


def _prepare_phase(org: Organisation, _guid: str, data: dict[str, Any], _sent: dict[str, Any]) -> None:
    above = org.record("phases", data["parentPhase"])
    if data["project"] is None and above is not None:
        data["project"] = above.data["project"]


_PREPARE: dict[str, Callable[[Organisation, str, dict[str, Any], dict[str, Any]], None]] = {
    "projects": _prepare_project,
    "phases": _prepare_phase,
    "projectfees": _prepare_fee,
    "workhours": _prepare_work,
    "projecttravelexpenses": _prepare_work,
    "flatrates": _prepare_flat_rate,
}


# --- The rules of a finished record ---------------------------------------------------------------------------------


def check(org: Organisation, register: str, data: dict[str, Any], record: Record | None) -> None:
    """Refuse what no caller may bring about: empty or taken names, taken codes and numbers.

    Raises `SeveraError` 400 InvalidParameter.
    """
    for name, one in MODELS[register].items():
        if one.required and one.kind == "str" and not str(data[name] or "").strip():
            raise bad_field(name, f"{name} is required.")
    own = None if record is None else record.guid
    before = {} if record is None else record.data
    if register == "customers" and data["name"] != before.get("name"):
        _free_name(org, register, data, own)
    if register in ("customers", "projects") and data["number"] != before.get("number"):
        _free_number(org, register, data, own)
    if register in _CODED and data["code"] and data["code"] != before.get("code"):
        _free_code(org, data, own)


def _free_name(org: Organisation, register: str, data: dict[str, Any], own: str | None) -> None:
    wanted = data["name"].strip().lower()
    for other in org.register(register):
        if other.guid != own and other.data["name"].strip().lower() == wanted:
            raise bad_field("name", f"A customer with the name {data['name']} already exists.")


def _free_code(org: Organisation, data: dict[str, Any], own: str | None) -> None:
    if not org.settings.get("uniqueIdentifierForProductsAndWorktypes"):
        return
    for name in _CODED:
        for other in org.register(name):
            if other.guid != own and other.data["code"] == data["code"]:
                raise bad_field("code", f"The code {data['code']} is already in use.")


def _free_number(org: Organisation, register: str, data: dict[str, Any], own: str | None) -> None:
    if data["number"] is None:
        return
    for other in org.register(register).find("number", data["number"]):
        if other.guid != own:
            raise bad_field("number", f"The number {data['number']} is already in use.")


# --- Patching -------------------------------------------------------------------------------------------------------


def patch(org: Organisation, register: str, record: Record, body: Any) -> None:
    """Apply a JSON Patch document as the API does: all of it or nothing.

    `op` in any case, replace only; `path` with a leading slash, in any case; `value` native or as text.
    Raises `SeveraError` 400: InvalidRequest (no patch document), InvalidOperation (another op, or a field that
    cannot be written now), InvalidParameter (unknown path, value that does not fit).
    """
    operations = _operations(body)
    draft = dict(record.data)
    if register == "invoicerows":
        invoices.check_row(org, record)
    if register in ("projectfees", "workhours", "projecttravelexpenses"):
        invoices.check_invoiced(org, record.data["invoice"])
    settings = dict(org.settings)
    try:
        for path, value in operations:
            _replace(org, register, draft, path, value)
        check(org, register, draft, record)
    except Exception:
        # An invoice number that a refused document would have used up stays free.
        org.settings.update(settings)
        raise
    org.change(register, record, draft, API)
    if register == "invoicerows":
        touch_invoice(org, record, API)


def touch_invoice(org: Organisation, row: Record, by: str) -> None:
    """Move the time of change of a row's invoice: its totals have changed."""
    invoice = org.record("invoices", row.data["invoiceGuid"])
    if invoice is not None:
        org.change("invoices", invoice, dict(invoice.data), by)


def _operations(body: Any) -> list[tuple[str, Any]]:
    if not isinstance(body, list) or not body:
        raise bad_request("The request body must be a list of patch operations.")
    found = []
    for one in body:
        given = lower_keys(one)
        op, path = given.get("op"), given.get("path")
        if not isinstance(op, str):
            raise bad_request("Every patch operation needs an op.")
        if op.lower() != "replace":
            raise not_allowed("Only the patch operation Replace is supported.")
        if not isinstance(path, str) or not path.startswith("/"):
            raise bad_field("path", "Every patch operation needs a path that begins with a slash.")
        found.append((path, given.get("value")))
    return found


def _replace(org: Organisation, register: str, draft: dict[str, Any], path: str, value: Any) -> None:
    segments = path.strip("/").lower().split("/")
    if register == "projects" and segments[0] in ("projectstatus", "salesstatus"):
        _replace_status(org, draft, segments, value)
        return
    if register == "invoicerows" and segments[0] in _ACCOUNTS:
        name, key = _ACCOUNTS[segments[0]]
        draft[name] = None if value is None else {"number": str(value), "name": (draft[name] or {}).get(key)}
        return
    one = _BY_LOWER_NAME[register].get(segments[0])
    if one is None:
        raise bad_field(path, f"The path {path} does not exist.")
    if one.read_only:
        raise not_allowed(f"{one.name} is read-only.")
    if register == "invoices":
        invoices.guard(org, draft, one.name)
    before = draft[one.name]
    draft[one.name] = _new_value(org, one, before, segments[1:], value, path=path)
    if register == "invoices":
        invoices.settle(org, draft, one.name, before, API)
    if register == "projects" and one.name == "isClosed":
        draft["closedDate"] = org.now().date().isoformat() if draft["isClosed"] else None


_ACCOUNTS = {
    "costcenternumber": ("costCenter", "name"),
    "salesaccountnumber": ("salesAccount", "name"),
    "recurringsalesaccountnumber": ("recurringSalesAccount", "name"),
}
"""The three paths of an invoice row that the vendor's text names although the model shows objects."""


def _new_value(org: Organisation, one: Field, before: Any, below: list[str], value: Any, *, path: str) -> Any:
    if not below:
        return convert(one, value, org.by_guid, text_allowed=True)
    if len(below) == 1:
        if one.kind == "ref" and below[0] == "guid":
            return convert(one, value, org.by_guid, text_allowed=True)
        if one.kind == "freetext" and below[0] == "value":
            return convert(one, value, org.by_guid, text_allowed=True)
        if one.kind in ("money", "moneyn") and below[0] in ("amount", "currencycode"):
            whole = {"amount": 0, "currencyCode": org.currency_code, **(before or {})}
            whole["amount" if below[0] == "amount" else "currencyCode"] = value
            return convert(one, whole, org.by_guid, text_allowed=True)
        if one.kind == "raw" and below[0] in lower_keys(before):
            return {name: value if name.lower() == below[0] else each for name, each in before.items()}
        if one.kind == "ref":
            raise not_allowed(f"{path} is read-only.")
    raise bad_field(path, f"The path {path} does not exist.")


def _replace_status(org: Organisation, draft: dict[str, Any], segments: list[str], value: Any) -> None:
    sent = {segments[1]: value} if len(segments) == 2 else lower_keys(value)
    allowed = (
        {"projectstatustypeguid", "description"}
        if segments[0] == "projectstatus"
        else {"salesstatustypeguid"}
    )
    if not sent or not set(sent) <= allowed:
        raise bad_field("/".join(segments), f"Give {' and '.join(sorted(allowed))}.")
    if segments[0] == "projectstatus":
        _statuses(org, draft, sent, {})
    else:
        _statuses(org, draft, {}, sent)


# --- Deleting -------------------------------------------------------------------------------------------------------

_USED_BY = {
    "customers": (("projects", "customer"), ("invoices", "customer"), ("invoices", "billingCustomer")),
    "invoicestatuses": (("invoices", "status"),),
    "projects": (("invoices", "projects"), ("projectfees", "project"), ("workhours", "project")),
    "products": (("projectfees", "product"),),
    "worktypes": (("workhours", "workType"),),
    "travelexpensetypes": (("projecttravelexpenses", "travelExpense"),),
}


def delete(org: Organisation, register: str, record: Record) -> None:
    """Delete a record for good; a deleted project fee leaves a tombstone.

    Raises `SeveraError` 400 InvalidOperation when something still uses it.
    """
    if register == "invoices":
        invoices.delete_invoice(org, record)
        return
    if register == "invoicerows":
        invoices.check_row(org, record)
    for user, name in _USED_BY.get(register, ()):
        for other in org.register(user):
            value = other.data[name]
            if record.guid == value or (isinstance(value, list) and record.guid in value):
                raise not_allowed("The record is in use and cannot be deleted.")
    if register == "projectfees":
        _tombstone(org, record)
    org.remove(register, record.guid)
    if register == "invoicerows":
        touch_invoice(org, record, API)


def _tombstone(org: Organisation, record: Record) -> None:
    data = record.data
    refs = {
        name: None if data[name] is None else {"guid": data[name]}
        for name in ("phase", "project", "customer", "user", "product")
    }
    org.add(
        "deletedprojectfees",
        {
            **{name: data[name] for name in ("name", "eventDate", "quantity", "measurementUnit")},
            **refs,
            "deletedDateTime": stamp(org.now()),
            "gone": record.guid,
        },
        API,
    )
