"""One read of every route that the simulators can be read at, and of up to forty records of each register."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import httpx
from recording import Tape
from road import Road

from simulators.severa import files
from simulators.severa.call import Operation as SeveraOperation
from simulators.severa.operations import ordinary, others
from simulators.visma_net.app import all_routes

# How many records of a register are read one by one.
MOST = 40
NOBODY = "00000000-0000-4000-8000-000000000000"

# The registers whose sublists and records hang on another name than the path's.
SEVERA_REGISTER: Mapping[str, str] = {"contacts": "contactpersons"}


def severa_reads() -> list[SeveraOperation]:
    return [one for one in [*ordinary(), *others(), *files.OPERATIONS] if one.method == "GET"]


def erp_reads() -> list[str]:
    return [template for verb, template in all_routes().all() if verb == "GET"]


def _members(path: str, *members: str) -> Callable[[httpx.Client], Iterator[tuple[str, ...]]]:
    """Keys from these members of a list's rows."""

    def keys(http: httpx.Client) -> Iterator[tuple[str, ...]]:
        rows = http.get(path, params={"pageNumber": 1, "pageSize": 100, **WITH_ALL.get(path, {})}).json()
        for row in rows["records"] if isinstance(rows, dict) else rows:
            yield tuple(str(row[name]) for name in members)

    return keys


# Where the keys of a path's parameters come from.
ERP_KEYS: Mapping[str, Callable[[httpx.Client], Iterator[tuple[str, ...]]]] = {
    "/v1/customer/customerClass/{}": _members("/v1/customer/customerClass", "id"),
    "/v1/customer/internal/{}": _members("/v1/customer", "internalId"),
    "/v1/customer/{}": _members("/v1/customer", "number"),
    "/v1/contact/{}": _members("/v1/contact", "contactId"),
    "/v1/inventory/internal/{}": _members("/v1/inventory", "inventoryId"),
    "/v1/inventory/itemClass/{}": _members("/v1/inventory/itemClass", "id"),
    "/v1/inventory/{}": _members("/v1/inventory", "inventoryNumber"),
    "/v1/project/internal/{}": _members("/v1/project", "internalID"),
    "/v1/project/{}": _members("/v1/project", "projectID"),
    "/v1/projecttask/{}": _members("/v1/projecttask", "internalId"),
    "/v1/customerinvoice/{}": _members("/v1/customerinvoice", "referenceNumber"),
    "/v1/customerCreditNote/{}": _members("/v1/customerCreditNote", "referenceNumber"),
    "/v1/customerPayment/{}": _members("/v1/customerPayment", "refNbr"),
    "/v1/payment/{}": _members("/v1/payment", "refNbr"),
    "/v1/supplier/{}": _members("/v1/supplier", "number"),
    "/v1/supplierInvoice/{}": _members("/v1/supplierInvoice", "referenceNumber"),
    "/v1/supplierInvoice/{}/{}": _members("/v1/supplierInvoice", "documentType", "referenceNumber"),
    "/v1/financialPeriod/{}": lambda http: (
        (row["period"],) for row in http.get("/v1/financialPeriod").json()
    ),
    "/v1/organization/{}": _members("/v1/organization", "organizationCd"),
    "/v1/branch/{}": _members("/v1/branch", "number"),
    "/v1/country/{}": _members("/v1/country", "id"),
    "/v1/vatZone/{}": _members("/v1/vatZone", "id"),
    "/v1/account/{}": _members("/v1/account", "accountCD"),
    "/v1/paymentmethod/{}": _members("/v1/paymentmethod", "paymentMethodID"),
    "/v1/currency/{}": _members("/v1/currency", "id"),
    "/v1/vat/{}": _members("/v1/vat", "vatId"),
    "/v1/vatCategory/{}": _members("/v1/vatCategory", "vatCategoryId"),
    "/v1/numberSequence/{}": _members("/v1/numberSequence", "numberingId"),
    "/v2/journaltransaction/{}": _members("/v2/journaltransaction", "batchNumber"),
    "/v1/dimension/{}": lambda http: ((one,) for one in http.get("/v1/dimension").json()),
    "/v1/dimension/{}/{}": lambda http: (
        (one, str(segment["segmentId"]))
        for one in http.get("/v1/dimension").json()
        for segment in http.get(f"/v1/dimension/{one}").json()["segments"]
    ),
    "/v1/attachment/{}": lambda http: (
        (str(file["id"]),)
        for row in http.get("/v1/customerinvoice", params={"pageNumber": 1, "pageSize": 9, "expandAttachments": True}).json()
        for file in row["attachments"] or []
    ),
}  # fmt: skip
# Everything that a row can be asked for.
WITH_ALL: Mapping[str, Mapping[str, str]] = {
    "/v1/customer": {"expandAccountInformation": "true", "expandPaymentMethods": "true"},
    "/v1/inventory": dict.fromkeys(("expandCrossReference", "expandAttachment", "expandAccountInformation", "expandNote"), "true"),
    "/v1/customerinvoice": dict.fromkeys(("expandApplications", "expandAttachments", "expandTaxDetails", "expandInvoiceAddress"), "true"),
    "/v1/customerCreditNote": dict.fromkeys(("expandApplications", "expandAttachments", "expandTaxDetails"), "true"),
    "/v2/journaltransaction": {"periodId": "202611", "expandAttachments": "true"},
    "/v1/GeneralLedgerTransactions": {"ledger": "1", "fromPeriod": "202611", "toPeriod": "202611"},
    "/v1/supplierInvoice": dict.fromkeys(("expandApplications", "expandAttachments", "expandNote"), "true"),
}  # fmt: skip


def read_everything(tape: Tape) -> None:
    """Reads both simulators of a recorded day; what comes back stands on the tape."""
    add_what_the_bridge_never_touches(tape.road)
    with tape.severa_reader() as http:
        read_severa(tape.road, http)
    with tape.erp_reader() as http:
        read_erp(http)


def add_what_the_bridge_never_touches(road: Road) -> None:
    """One record of every register that the day leaves empty."""
    people = road.severa
    phase = next(
        row
        for row in people.look("phases")
        if row["project"]["guid"] == road.severa.one("projects", name="Utlandet")["guid"]
    )
    [user, *_] = people.look("users")
    project, day = phase["project"]["guid"], "2026-11-24"
    price = {"amount": 100, "currencyCode": "SEK"}
    mine = {"phase": phase["guid"], "user": user["guid"], "eventDate": day, "quantity": 2, "isBillable": True}
    people.add("workhours", workType=people.look("worktypes")[0]["guid"], unitPrice=price, **mine)
    people.add(
        "projecttravelexpenses",
        project=project,
        travelExpense=people.look("travelexpensetypes")[0]["guid"],
        unitPrice=price,
        **mine,
    )
    people.add("flatrates", phase=phase["guid"], billingSchedule="Immediately", price=price)
    people.add(
        "projectbillingcustomers", project=project, billingCustomer=people.look("customers")[0]["guid"]
    )
    people.ask("DELETE", f"projectfees/{people.look('projectfees')[-1]['guid']}")
    # A credit note of fees and expenses leaves what it credits in the registers of their own.
    several = next(
        row["invoiceGuid"] for row in people.look("invoicerows") if row["rowType"] == "TravelExpenses"
    )
    people.add("invoices", credit_of=several)
    people.ask("PATCH", "switches", {"official_integration": True})


def read_severa(road: Road, http: httpx.Client) -> None:
    for operation in severa_reads():
        names = re.findall(r"([^/{}]+)/\{", operation.template)
        if not names:
            assert http.get(f"/v1{operation.template}").status_code < 500, operation.template
            continue
        [register] = names
        if register in ("countries", "convert"):
            guids = [road.severa.look("customers")[0]["guid"], "SE"]
        else:
            guids = [row["guid"] for row in road.severa.look(SEVERA_REGISTER.get(register, register))[:MOST]]
        for guid in [*guids, NOBODY]:
            assert http.get("/v1" + re.sub(r"\{[^}]*\}", guid, operation.template)).status_code < 500


def read_erp(http: httpx.Client) -> None:
    for template in erp_reads():
        if template.startswith("/v1/background"):
            continue
        path = re.sub(r"\{[^}]*\}", "{}", template)
        query = {"pageNumber": "1", "pageSize": "100", **WITH_ALL.get(template, {})}
        if "{}" not in path:
            assert http.get(path, params=query).status_code < 500, template
            continue
        source = ERP_KEYS.get(path) or ERP_KEYS[path[: path.rindex("{}") + 2]]
        keys = list(source(http))[:MOST]
        assert keys, f"nothing to read at {template}"
        for key in keys:
            assert http.get(path.format(*key), params=query).status_code < 500, (path, key)
    # A call in the background, its state and its content.
    job = http.get("/v1/customer", params={"pageNumber": 1}, headers={"erp-api-background": "none"}).json()[
        "id"
    ]
    assert http.get(f"/v1/background/{job}").status_code == 200
    assert http.get(f"/v1/background/{job}/content").status_code in (200, 404)
    assert http.get("/v1/customer/nobody").status_code == 404
