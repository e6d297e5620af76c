"""The ordinary operations over `resources`, and the lists and records that follow no pattern."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid5

from starlette.responses import Response

from simulators.severa import changes, invoices
from simulators.severa.call import Call, Handler, Operation, answer, nothing
from simulators.severa.drafting import draft_invoices
from simulators.severa.errors import SeveraError, bad_request, not_found
from simulators.severa.lists import Filter, listed
from simulators.severa.organisation import API, derived
from simulators.severa.registers import Record
from simulators.severa.rendering import render
from simulators.severa.resources import (
    PROJECT_FILTERS,
    RESOURCES,
    SALES_CASE_FILTERS,
    SUBLISTS,
    Resource,
    Sublist,
)

_SOAP = UUID("7b0b6c7e-5f5a-4a63-8d6f-2f0f2c9a3f10")


def found(call: Call, register: str) -> Record:
    """Give the record that the path names. Raises `SeveraError` 404."""
    record = call.org.record(register, call.params["guid"])
    if record is None:
        raise not_found(f"{register} {call.params['guid']}")
    return record


def ordinary() -> list[Operation]:
    """Give the operations of every register and every sublist."""
    operations = [operation for resource in RESOURCES for operation in _of_resource(resource)]
    operations += [Operation("GET", one.template, (f"{one.area}:read",), _sublist(one)) for one in SUBLISTS]
    return operations


def _of_resource(resource: Resource) -> list[Operation]:
    register, area = resource.register, resource.area
    at, below = f"/{register}", f"/{register}/{{guid}}"
    made = {
        "L": Operation("GET", at, (f"{area}:read",), _list(resource)),
        "G": Operation("GET", below, (f"{area}:read",), _get(register)),
        "C": Operation("POST", at, (f"{area}:write",), _create(resource)),
        "U": Operation("PATCH", below, (f"{area}:write",), _patch(resource)),
        "D": Operation("DELETE", below, (f"{area}:delete",), _delete(register)),
    }
    return [made[verb] for verb in resource.verbs]


def _list(resource: Resource) -> Handler:
    return lambda call: listed(call, resource.register, resource.paging, resource.filters)


def _sublist(sublist: Sublist) -> Handler:
    def handler(call: Call) -> Response:
        parent = found(call, sublist.parent)
        candidates = call.org.register(sublist.register).find(sublist.link, parent.guid)
        return listed(call, sublist.register, sublist.paging, sublist.filters, candidates)

    return handler


def _get(register: str) -> Handler:
    return lambda call: answer(render(call.org, register, found(call, register)))


def _create(resource: Resource) -> Handler:
    def handler(call: Call) -> Response:
        record = changes.create(call.org, resource.register, call.json_object(), API)
        made = render(call.org, resource.register, record)
        return answer([made] if resource.array else made, 201)

    return handler


def _patch(resource: Resource) -> Handler:
    def handler(call: Call) -> Response:
        record = found(call, resource.register)
        changes.patch(call.org, resource.register, record, call.json())
        made = render(call.org, resource.register, record)
        return answer(made if resource.one else [made])

    return handler


def _delete(register: str) -> Handler:
    def handler(call: Call) -> Response:
        changes.delete(call.org, register, found(call, register))
        return nothing()

    return handler


# --- Projects and sales cases ---------------------------------------------------------------------------------------


def _projects(call: Call) -> Response:
    candidates: list[Record] | None = None
    if not call.org.switch("projects_include_sales_cases"):
        candidates = [one for one in call.org.register("projects") if not _in_progress(call, one)]
    return listed(call, "projects", "token", PROJECT_FILTERS, candidates)


def _sales_cases(call: Call) -> Response:
    candidates = [one for one in call.org.register("projects") if _in_progress(call, one)]
    return listed(call, "projects", "token", SALES_CASE_FILTERS, candidates)


def _in_progress(call: Call, project: Record) -> bool:
    status = call.org.record("salesstatustypes", project.data["salesStatusType"])
    return status is not None and status.data["salesState"] == "InProgress"


# --- Customers' addresses -------------------------------------------------------------------------------------------


def _add_address(call: Call) -> Response:
    customer = found(call, "customers")
    sent = {**call.json_object(), "customer": {"guid": customer.guid}}
    record = changes.create(call.org, "addresses", sent, API)
    return answer(render(call.org, "addresses", record), 201)


def _contact_addresses(call: Call) -> Response:
    contact = found(call, "contactpersons")
    address = call.org.record("addresses", contact.data["addressGuid"])
    return answer([] if address is None else [render(call.org, "addresses", address)])


# --- Localisation ---------------------------------------------------------------------------------------------------


def _whole(register: str) -> Handler:
    return lambda call: answer([render(call.org, register, one) for one in call.org.register(register)])


def _country(call: Call) -> Response:
    sent = call.params["guid"]
    record = call.org.record("countries", sent)
    if record is not None:
        return answer(render(call.org, "countries", record))
    hits = [
        render(call.org, "countries", one)
        for one in call.org.register("countries")
        if sent.lower() in (str(one.data[name]).lower() for name in ("code2", "code3", "name", "englishName"))
    ]
    if not hits and re.fullmatch(r"[0-9a-fA-F-]{36}", sent):
        raise not_found(f"country {sent}")
    return answer(hits)


# --- Flat rates, deleted fees, uninvoiced work ----------------------------------------------------------------------


def _flat_rate(call: Call) -> Response:
    # The vendor's document answers a single flat rate with a list.
    return answer([render(call.org, "flatrates", found(call, "flatrates"))])


def _project_flat_rates(call: Call) -> Response:
    project = found(call, "projects")
    return answer(
        [
            render(call.org, "flatrates", one)
            for one in call.org.register("flatrates").find("project", project.guid)
        ]
    )


_DELETED_FEES = {
    "deletedSince": Filter("deleted_since"),
    "projectGuids": Filter("deleted_project"),
}


def _deleted_fees(call: Call) -> Response:
    return listed(call, "deletedprojectfees", "token", _DELETED_FEES)


def _uninvoiced(register: str) -> Handler:
    def handler(call: Call) -> Response:
        invoice = found(call, "invoices")
        candidates = [
            one
            for project in invoice.data["projects"]
            for one in call.org.register(register).find("project", project)
            if one.data["invoice"] is None
        ]
        return listed(call, register, "token", {"isBillable": Filter("bool", "isBillable")}, candidates)

    return handler


# --- Invoices -------------------------------------------------------------------------------------------------------


def _draft_invoices(call: Call) -> Response:
    made = draft_invoices(call.org, call.json_object())
    return answer([render(call.org, "invoices", one) for one in made], 201)


def _remove_invoice_project(call: Call) -> Response:
    invoice = found(call, "invoices")
    invoices.guard(call.org, invoice.data, "projects")
    project = call.params["projectGuid"]
    if project not in invoice.data["projects"]:
        raise not_found(f"project {project} on the invoice")
    rest = [one for one in invoice.data["projects"] if one != project]
    call.org.change("invoices", invoice, {**invoice.data, "projects": rest}, API)
    return nothing()


# --- The organisation -----------------------------------------------------------------------------------------------


def _details(call: Call) -> Response:
    return answer(call.org.details)


def _settings(call: Call) -> Response:
    return answer(call.org.settings)


def _official_integration(call: Call) -> Response:
    if not call.org.switch("official_integration"):
        raise SeveraError(403, "AddonMissing", "The add-on is not in use in this organization.")
    return answer({"id": 1700001, "name": call.org.name})


def _convert_guid(call: Call) -> Response:
    return answer({"guid": call.params["guid"], "converted": _converted(call.params["guid"])})


def _convert_guids(call: Call) -> Response:
    sent = call.json()
    if not isinstance(sent, list):
        raise bad_request("The request body must be a list of guids.")
    return answer([{"guid": each, "converted": _converted(str(each))} for each in sent])


def _converted(guid: str) -> str:
    return str(uuid5(_SOAP, guid.lower()))


_SHOWN = [
    "LogoAndTitle",
    "Footer",
    "Quantity",
    "Unit",
    "UnitPrice",
    "ValueAddedTax",
    "PriceExcludingValueAddedTax",
    "AttachmentQuantity",
    "AttachmentUnit",
    "AttachmentUnitPrice",
    "AttachmentValueAddedTax",
    "AttachmentPriceExcludingValueAddedTax",
    "Categories",
    "ReferenceNumber",
]
_KINDS_OF_WORK = ("workHour", "projectFee", "projectTravelExpense")


def _invoice_settings(call: Call) -> Response:
    invoice = found(call, "invoices")
    whole = render(call.org, "invoices", invoice)
    settings: dict[str, Any] = {
        "guid": derived(invoice.guid, "settings"),
        "entryDate": invoice.data["entryDate"],
        "paymentDate": invoice.data["paymentDate"],
        "isReverseCharged": False,
        "reverseChargeDescription": None,
        "style": None,
        "categorySortOrder": None,
        **{f"show{name}": True for name in _SHOWN},
        **{f"{kind}Grouping": "OneByOne" for kind in _KINDS_OF_WORK},
        **{f"{kind}DescriptionFormat": None for kind in _KINDS_OF_WORK},
        **{f"{kind}{order}GroupBy": None for kind in _KINDS_OF_WORK for order in ("Primary", "Secondary")},
        **{name: whole[name] for name in _AUDIT},
    }
    return answer(settings)


_AUDIT = ("createdDateTime", "createdBy", "lastUpdatedDateTime", "lastUpdatedBy")


def others() -> list[Operation]:
    """Give the operations that follow no pattern."""
    project, settings = ("projects:read",), ("settings:read",)
    table: list[tuple[str, str, tuple[str, ...], Callable[[Call], Response]]] = [
        ("GET", "/projects", project, _projects),
        ("POST", "/projects", ("projects:write",), _create(_PROJECT)),
        ("GET", "/projects/{guid}", project, _get("projects")),
        ("PATCH", "/projects/{guid}", ("projects:write",), _patch(_PROJECT)),
        ("DELETE", "/projects/{guid}", ("projects:delete",), _delete("projects")),
        ("GET", "/salescases", project, _sales_cases),
        ("POST", "/customers/{guid}/addresses", ("customers:write",), _add_address),
        ("GET", "/contactpersons/{guid}/addresses", ("customers:read",), _contact_addresses),
        ("GET", "/localization/countries", settings, _whole("countries")),
        ("GET", "/localization/countries/{guid}", settings, _country),
        ("GET", "/localization/languages", settings, _whole("languages")),
        ("GET", "/localization/timezones", settings, _whole("timezones")),
        ("GET", "/flatrates/{guid}", ("fees:read",), _flat_rate),
        ("GET", "/projects/{guid}/flatrates", ("fees:read",), _project_flat_rates),
        ("GET", "/deletedprojectfees", ("fees:read",), _deleted_fees),
        *(
            ("GET", f"/invoices/{{guid}}/uninvoiced{register}", ("invoices:read",), _uninvoiced(register))
            for register in ("projectfees", "workhours", "projecttravelexpenses")
        ),
        ("POST", "/invoices", ("invoices:write",), _draft_invoices),
        ("DELETE", "/invoices/{guid}/projects/{projectGuid}", ("invoices:delete",), _remove_invoice_project),
        ("GET", "/invoices/{guid}/invoicesettings", ("invoices:read",), _invoice_settings),
        ("GET", "/organizationdetails", ("organization:read",), _details),
        ("GET", "/organizationsettings", ("organization:read",), _settings),
        (
            "GET",
            "/integrations/vismafinancials/companyinformation",
            ("organization:read",),
            _official_integration,
        ),
        ("GET", "/guids/convert/{guid}", settings, _convert_guid),
        ("POST", "/guids/convert", settings, _convert_guids),
    ]
    return [Operation(*row) for row in table]


_PROJECT = Resource("projects", "projects", "")
