"""Every body that the bridge writes in a day of all domains is one that the vendors' documents allow."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from email.message import Message

import pytest
from recording import Exchange, Recorded, Tape
from vendor_documents import Json, Operation, VendorDocument, vendor_document

# The writes without which the day would prove little: one of every domain and direction.
WRITTEN_TO_SEVERA = {
    "POST /v1/customers", "PATCH /v1/customers/{guid}", "POST /v1/customers/{customerGuid}/addresses", "PATCH /v1/addresses/{guid}",
    "POST /v1/contactpersons", "PATCH /v1/contactpersons/{guid}", "POST /v1/contactcommunications",
    "POST /v1/products", "PATCH /v1/products/{guid}", "POST /v1/worktypes", "PATCH /v1/worktypes/{guid}",
    "POST /v1/travelexpensetypes", "PATCH /v1/invoices/{guid}", "POST /v1/projectfees",
    "POST /v1/projects/{projectGuid}/files",
}  # fmt: skip
WRITTEN_TO_THE_ERP = {
    "POST /v1/customer", "PUT /v1/customer/{customerCd}", "POST /v1/contact", "PUT /v1/contact/{contactId}",
    "POST /v1/inventory", "PUT /v1/inventory/{inventoryNumber}", "POST /v1/project", "PUT /v1/project/{projectId}",
    "POST /v2/customerinvoice", "PUT /v1/customerinvoice/{invoiceNumber}", "DELETE /v1/customerinvoice/{invoiceNumber}",
    "POST /v1/customerinvoice/{invoiceNumber}/action/release", "POST /v1/customerinvoice/{invoiceNumber}/attachment",
    "POST /v2/customerCreditNote", "PUT /v1/customerCreditNote/{creditNoteNumber}",
    "POST /v1/customerCreditNote/{creditNoteNumber}/action/release",
    "POST /v1/customerCreditNote/{creditNoteNumber}/attachment",
}  # fmt: skip

# Severa publishes no input model of these; the paths are the ones its own text and its answer's members name
# (docs/vendors/severa.md S30).
UNPUBLISHED_INPUT = {"/v1/invoices/{guid}", "/v1/invoicerows/{guid}", "/v1/projects/{guid}"}


@pytest.fixture(scope="module")
def severa(source: str) -> VendorDocument:
    return vendor_document(source, "severa")


@pytest.fixture(scope="module")
def visma_net(source: str) -> VendorDocument:
    return vendor_document(source, "visma-net")


def writes(system: Recorded) -> Iterator[Exchange]:
    return (one for one in system.exchanges if one.verb != "GET" and not one.is_sign_in)


def named(document: VendorDocument, exchange: Exchange) -> Operation:
    operation = document.operation(exchange.verb, exchange.path)
    assert operation is not None, f"{exchange.verb} {exchange.path} is not in the document"
    return operation


def told(found: Counter[str]) -> str:
    return "\n".join(f"{times} × {line}" for line, times in sorted(found.items()))


def test_the_day_writes_in_every_domain_and_both_directions(
    recorded_day: Tape, severa: VendorDocument, visma_net: VendorDocument
) -> None:
    to_severa = {str(named(severa, one)) for one in writes(recorded_day.severa)}
    to_erp = {str(named(visma_net, one)) for one in writes(recorded_day.erp)}
    assert to_severa >= WRITTEN_TO_SEVERA
    assert to_erp >= WRITTEN_TO_THE_ERP


def test_every_json_body_to_severa_is_the_documents_input_model(
    recorded_day: Tape, severa: VendorDocument
) -> None:
    found: Counter[str] = Counter()
    for exchange in writes(recorded_day.severa):
        operation = named(severa, exchange)
        schema = operation.body()
        if exchange.verb == "PATCH" or exchange.headers["content-type"].startswith("multipart/"):
            continue
        assert schema is not None, f"{operation} takes no JSON"
        assert exchange.headers["content-type"].partition(";")[0] == "application/json"
        found.update(f"{operation} {line}" for line in severa.complaints(schema, exchange.sent(), "request"))
    assert not found, told(found)


def test_every_patch_to_severa_is_a_list_of_operations_on_members_that_exist_and_can_be_written(
    recorded_day: Tape, severa: VendorDocument
) -> None:
    found: Counter[str] = Counter()
    for exchange in writes(recorded_day.severa):
        if exchange.verb != "PATCH":
            continue
        operation = named(severa, exchange)
        schema = operation.body()
        assert schema is not None
        rows = exchange.sent()
        # The document types a value as text; the vendor's own examples carry the value itself (docs/vendors/severa.md S28).
        plain = [{**row, "value": None} for row in rows]
        lines = severa.complaints(schema, plain, "request")
        model = patched_model(severa, operation)
        for row in rows:
            member = severa.member(model, row["path"])
            if member is None:
                lines.append(f"{row['path']}: no such member, or one that is only read")
            elif operation.path not in UNPUBLISHED_INPUT:
                lines += [
                    f"{row['path']}{line}" for line in severa.complaints(member, row["value"], "request")
                ]
        found.update(f"{operation} {line}" for line in lines)
    assert not found, told(found)


def patched_model(severa: VendorDocument, operation: Operation) -> Json:
    """The model of a record as it is created, else as it is answered: both name the members a patch may change."""
    creating = severa.operation("POST", operation.path.removesuffix("/{guid}"))
    schema = creating.body() if creating is not None and operation.path not in UNPUBLISHED_INPUT else None
    if schema is None:
        [schema] = operation.answers(200)
    schema = severa.resolved(schema)
    return severa.resolved(schema["items"]) if "items" in schema else schema


def test_every_body_to_the_erp_is_the_documents_update_model_with_its_wrapped_values(
    recorded_day: Tape, visma_net: VendorDocument
) -> None:
    found: Counter[str] = Counter()
    for exchange in writes(recorded_day.erp):
        operation = named(visma_net, exchange)
        if exchange.headers.get("content-type", "").startswith("multipart/") or not exchange.body:
            assert operation.body() is None or "/action/" in operation.path, f"{operation} needs a body"
            continue
        schema = operation.body()
        assert schema is not None, f"{operation} takes no JSON"
        assert exchange.headers["content-type"].partition(";")[0] == "application/json"
        found.update(
            f"{operation} {line}" for line in visma_net.complaints(schema, exchange.sent(), "request")
        )
    assert not found, told(found)


def test_files_to_the_erp_are_parts_named_file_and_to_severa_a_related_message(recorded_day: Tape) -> None:
    files = [one for one in writes(recorded_day.erp) if one.path.endswith("/attachment")]
    for exchange in files:
        assert exchange.headers["content-type"].startswith("multipart/form-data; boundary=")
        assert b'Content-Disposition: form-data; name="file"; filename="' in exchange.body
    related = [one for one in writes(recorded_day.severa) if one.path.endswith("/files")]
    for exchange in related:
        message = Message()
        message["content-type"] = exchange.headers["content-type"]
        assert message.get_content_type() == "multipart/related"
        assert message.get_param("boundary")
    assert files
    assert related


def test_sign_in_bodies_are_what_the_documents_ask_for(recorded_day: Tape, severa: VendorDocument) -> None:
    found: Counter[str] = Counter()
    signed_in = [one for one in recorded_day.severa.exchanges if one.is_sign_in]
    for exchange in signed_in:
        operation = named(severa, exchange)
        schema = operation.body()
        assert schema is not None
        found.update(f"{operation} {line}" for line in severa.complaints(schema, exchange.sent(), "request"))
    assert signed_in
    assert not found, told(found)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"nameOfNobody": {"value": "x"}}, "Additional properties"),
        ({"number": {"values": "x"}}, "Additional properties"),
        ({"number": "10001"}, "is not of type 'object'"),
        ({"status": {"value": "Aktiv"}}, "is not one of"),
        ({"numberOfEmployees": {"value": 2**31}}, "greater than the maximum"),
        ({"mainAddress": {"value": {"addressLine1": "Storgatan"}}}, "is not of type 'object'"),
    ],
)
def test_a_broken_body_of_a_customer_is_noticed(visma_net: VendorDocument, broken: Json, said: str) -> None:
    """The validator itself: what it must refuse."""
    [line] = visma_net.complaints({"$ref": "#/components/schemas/CustomerUpdateDto"}, broken, "request")
    assert said in line


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({}, "'name' is a required property"),
        ({"name": "A", "isInternal": True}, "Additional properties"),
        ({"name": "A", "number": "10001"}, "is not of type 'integer'"),
        ({"name": "A", "overdueInterest": "8"}, "is not of type 'number'"),
    ],
)
def test_a_broken_severa_customer_is_noticed(severa: VendorDocument, broken: Json, said: str) -> None:
    lines = severa.complaints({"$ref": "#/components/schemas/CustomerModel"}, broken, "request")
    assert any(said in line for line in lines), lines


def test_no_write_was_refused_by_a_simulator_for_its_form(recorded_day: Tape) -> None:
    every = itertools.chain(writes(recorded_day.severa), writes(recorded_day.erp))
    assert [f"{one.verb} {one.path} {one.status} {one.answer!r}" for one in every if one.status >= 400] == []
