"""Every answer of both simulators is the vendors' own shape: in a day of all domains, and from every route to read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

import pytest
from reading_all import erp_reads, severa_reads
from recording import Exchange, Recorded, Tape
from road import Json
from vendor_documents import Operation, VendorDocument, vendor_document

# What the documents leave out, with the reason.
STATUS_NOT_LISTED: Mapping[tuple[str, int], str] = {
    (
        "visma_net",
        400,
    ): "the document was rebuilt without its refusals; their shapes are in docs/vendors/visma-net-erp.md E38",
    ("visma_net", 404): "the same",
    ("severa", 400): "described by `default` only",
    ("severa", 403): "described by `default` where the operation does not list it",
}
NOT_IN_THE_DOCUMENT: Mapping[str, str] = {
    "/connect/token": "the sign-in server of the ERP has a document of its own (OpenID Connect)",
}
# The simulator keeps nothing behind these; an empty list is all that they answer.
ALWAYS_EMPTY = {
    "GET /v1/customerinvoice/worktypes",
    "GET /v1/inventory/{inventoryNumber}/crossReferences",
}


@pytest.fixture(scope="module")
def severa(source: str) -> VendorDocument:
    return vendor_document(source, "severa")


@pytest.fixture(scope="module")
def visma_net(source: str) -> VendorDocument:
    # Whether the ERP sends null for a member without a value or leaves it out is not told: both are taken.
    return vendor_document(source, "visma-net", absent_is_null=True)


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
    """The two forms of a refusal by the ERP (docs/vendors/visma-net-erp.md E38): a message, or a message with the state of the model."""
    members = set(exchange.got())
    return [] if members in ({"message"}, {"Message", "ModelState"}) else [f"members {sorted(members)}"]


def test_every_route_that_a_simulator_can_be_read_at_is_in_the_vendors_document(
    severa: VendorDocument, visma_net: VendorDocument
) -> None:
    reads = [(severa, "/v1" + one.template) for one in severa_reads()]
    reads += [(visma_net, template) for template in erp_reads()]
    paths = [(document, re.sub(r"\{[^}]*\}", "x", path)) for document, path in reads]
    assert [path for document, path in paths if document.operation("GET", path) is None] == []
    assert len(paths) > 150


def test_every_answer_of_the_severa_simulator_is_the_documents(
    recorded_day: Tape, severa: VendorDocument
) -> None:
    found = faults("severa", severa, recorded_day.severa)
    assert not found, "\n".join(f"{times} × {line}" for line, times in sorted(found.items()))


def test_every_answer_of_the_erp_simulator_is_the_documents(
    recorded_day: Tape, visma_net: VendorDocument
) -> None:
    found = faults("visma_net", visma_net, recorded_day.erp)
    assert not found, "\n".join(f"{times} × {line}" for line, times in sorted(found.items()))


def test_every_route_to_read_has_answered_with_content(
    recorded_day: Tape, severa: VendorDocument, visma_net: VendorDocument
) -> None:
    """Else the two tests above would hold nothing against the documents."""
    expected = {shape(severa, "/v1" + one.template) for one in severa_reads()}
    expected |= {shape(visma_net, template) for template in erp_reads()}
    answered = {shape(severa, one.path) for one in recorded_day.severa.exchanges if has_content(one)}
    answered |= {shape(visma_net, one.path) for one in recorded_day.erp.exchanges if has_content(one)}
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
