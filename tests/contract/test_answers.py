"""Every answer of both simulators is the vendors' own shape: in a day of all domains, and from every route to read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import httpx
import pytest
from recording import Exchange, Recorded, Tape
from road import Json, Road
from vendor_documents import SEVERA, VISMA_NET, Operation, VendorDocument, needs_documents

from simulators.severa import files
from simulators.severa.call import Operation as SeveraOperation
from simulators.severa.operations import ordinary, others
from simulators.visma_net.app import all_routes

pytestmark = needs_documents

# How many records of a register are read one by one.
MOST = 40
NOBODY = "00000000-0000-4000-8000-000000000000"

# What the documents leave out, with the reason.
STATUS_NOT_LISTED: Mapping[tuple[str, int], str] = {
    ("visma_net", 400): "the document was rebuilt without its refusals; their shapes are in api.md 2.7",
    ("visma_net", 404): "the same",
    ("severa", 400): "described by `default` only",
    ("severa", 403): "described by `default` where the operation does not list it",
}
NOT_IN_THE_DOCUMENT: Mapping[str, str] = {
    "/connect/token": "the sign-in server of the ERP has a document of its own (OpenID Connect)",
}
# The registers whose sublists and records hang on another name than the path's.
SEVERA_REGISTER: Mapping[str, str] = {"contacts": "contactpersons"}
# The simulator keeps nothing behind these; an empty list is all that they answer.
ALWAYS_EMPTY = {
    "GET /v1/customerinvoice/worktypes",
    "GET /v1/inventory/{inventoryNumber}/crossReferences",
}


def _severa_reads() -> list[SeveraOperation]:
    return [one for one in [*ordinary(), *others(), *files.OPERATIONS] if one.method == "GET"]


def _erp_reads() -> list[str]:
    found: list[str] = []
    nodes = [all_routes()._root]
    while nodes:
        node = nodes.pop()
        nodes += [*node.literals.values(), *([node.parameter] if node.parameter else [])]
        found += [template for verb, (template, _names, _handler) in node.handlers.items() if verb == "GET"]
    return sorted(found)


def _members(path: str, *members: str) -> Callable[[httpx.Client], Iterator[tuple[str, ...]]]:
    """Keys from the rows of a list; ``itemClass.id`` goes one step down."""

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


@pytest.fixture(scope="module")
def severa() -> VendorDocument:
    assert SEVERA is not None
    return VendorDocument(SEVERA)


@pytest.fixture(scope="module")
def visma_net() -> VendorDocument:
    assert VISMA_NET is not None
    # The ERP sends null where a member has no value (api.md 2.2); its document cannot say so.
    return VendorDocument(VISMA_NET, absent_is_null=True)


@pytest.fixture(scope="module")
def whole_day(recorded_day: Tape) -> Tape:
    """The day, and one read of every route and record after it."""
    add_what_the_bridge_never_touches(recorded_day.road)
    with recorded_day.severa_reader() as http:
        read_severa(recorded_day.road, http)
    with recorded_day.erp_reader() as http:
        read_erp(http)
    return recorded_day


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
    for operation in _severa_reads():
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
    for template in _erp_reads():
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
    # A write in the background, its state and its content.
    job = http.get("/v1/customer", params={"pageNumber": 1}, headers={"erp-api-background": "none"}).json()[
        "id"
    ]
    assert http.get(f"/v1/background/{job}").status_code == 200
    assert http.get(f"/v1/background/{job}/content").status_code in (200, 404)
    assert http.get("/v1/customer/nobody").status_code == 404


def faults(name: str, document: VendorDocument, system: Recorded) -> Counter[str]:
    found: Counter[str] = Counter()
    seen: set[tuple[str, int, bytes]] = set()
    for exchange in system.exchanges:
        operation = document.operation(exchange.verb, exchange.path)
        if operation is None:
            if exchange.path not in NOT_IN_THE_DOCUMENT:
                found[f"{exchange.verb} {exchange.path} is not in the document"] += 1
            continue
        key = (str(operation), exchange.status, exchange.answer)
        if key not in seen:
            seen.add(key)
            found.update(
                f"{operation} {exchange.status} {line}" for line in wrong(name, document, operation, exchange)
            )
    return found


def wrong(name: str, document: VendorDocument, operation: Operation, exchange: Exchange) -> list[str]:
    """What of one answer is not as the document says."""
    status = exchange.status
    if status not in operation.statuses() and (name, status) not in STATUS_NOT_LISTED:
        return [f"a status that the document does not list: {sorted(operation.statuses())}"]
    # Four reads of a country have one shape of path; which of them is meant only the key tells.
    schemas = [schema for one in document.like(operation) for schema in one.answers(status)]
    kinds = operation.content_types(status)
    if status < 400 and kinds and "application/json" not in kinds:
        return [] if exchange.answer_type in kinds else [f"content type {exchange.answer_type}, not {kinds}"]
    if not schemas:
        if status >= 400:
            return wrong_refusal(exchange)
        # No schema: a created or changed record of the ERP answers nothing at all.
        return [f"has a body: {exchange.answer[:60]!r}"] if exchange.answer and not kinds else []
    if exchange.answer_type != "application/json":
        return [f"content type {exchange.answer_type}"]
    return min((document.complaints(schema, exchange.got(), "answer") for schema in schemas), key=len)


def wrong_refusal(exchange: Exchange) -> list[str]:
    """The two forms of a refusal by the ERP (api.md 2.7): a message, or a message with the state of the model."""
    members = set(exchange.got())
    return [] if members in ({"message"}, {"Message", "ModelState"}) else [f"members {sorted(members)}"]


def test_every_route_that_a_simulator_can_be_read_at_is_in_the_vendors_document(
    severa: VendorDocument, visma_net: VendorDocument
) -> None:
    reads = [(severa, "/v1" + one.template) for one in _severa_reads()]
    reads += [(visma_net, template) for template in _erp_reads()]
    paths = [(document, re.sub(r"\{[^}]*\}", "x", path)) for document, path in reads]
    assert [path for document, path in paths if document.operation("GET", path) is None] == []
    assert len(paths) > 150


def test_every_answer_of_the_severa_simulator_is_the_documents(
    whole_day: Tape, severa: VendorDocument
) -> None:
    found = faults("severa", severa, whole_day.severa)
    assert not found, "\n".join(f"{times} × {line}" for line, times in sorted(found.items()))


def test_every_answer_of_the_erp_simulator_is_the_documents(
    whole_day: Tape, visma_net: VendorDocument
) -> None:
    found = faults("visma_net", visma_net, whole_day.erp)
    assert not found, "\n".join(f"{times} × {line}" for line, times in sorted(found.items()))


def test_every_route_to_read_has_answered_with_content(
    whole_day: Tape, severa: VendorDocument, visma_net: VendorDocument
) -> None:
    """Else the two tests above would hold nothing against the documents."""
    expected = {shape(severa, "/v1" + one.template) for one in _severa_reads()}
    expected |= {shape(visma_net, template) for template in _erp_reads()}
    answered = {shape(severa, one.path) for one in whole_day.severa.exchanges if has_content(one)}
    answered |= {shape(visma_net, one.path) for one in whole_day.erp.exchanges if has_content(one)}
    assert sorted(expected - answered - ALWAYS_EMPTY) == []


def shape(document: VendorDocument, path: str) -> str:
    return str(document.operation("GET", re.sub(r"\{[^}]*\}", "x", path)))


def has_content(exchange: Exchange) -> bool:
    """Rows or a record; an empty list holds nothing against a schema."""
    return exchange.verb == "GET" and exchange.status == 200 and exchange.answer not in (b"", b"[]")


@pytest.mark.parametrize(
    ("model", "answer", "said"),
    [
        ("CustomerDto", {"nummer": "1"}, "Additional properties"),
        ("CustomerDto", {"status": "Sleeping"}, "is not one of"),
        ("CustomerDto", {"number": {"value": "1"}}, "is not of type 'string'"),
        ("CustomerDto", {"lastModifiedDateTime": "2026-11-24"}, "is not a 'date-time'"),
        ("CustomerDto", {"mainAddress": {"countryId": "SE"}}, "Additional properties"),
    ],
)
def test_a_broken_answer_is_noticed(visma_net: VendorDocument, model: str, answer: Json, said: str) -> None:
    """The validator itself: what it must refuse."""
    [line] = visma_net.complaints({"$ref": f"#/components/schemas/{model}"}, answer, "answer")
    assert said in line
