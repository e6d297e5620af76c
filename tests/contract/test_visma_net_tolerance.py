"""The Visma.net connector against servers that keep the vendor's contract in their own, peculiar ways."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.http import MemoryTokenStore
from connectors.pacing import NoPacing
from connectors.visma_net import NEEDED_SCOPES, VismaNetClient, filter_day, filter_time, parse_time
from domain.errors import (
    Forbidden,
    NotFound,
    OutcomeUnknown,
    Refused,
    SignInFailed,
    Stale,
    Unavailable,
)
from simulators.server import running


@dataclass
class Seen:
    """One request as it arrived; ``path`` before percent-decoding."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


Answering = Callable[[Seen], Response]


@dataclass
class Peculiar:
    """A server that answers as a test says, behind an ordinary sign-in."""

    answering: Answering
    seen: list[Seen] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    token_answer: Callable[[dict[str, str]], Response] | None = None

    def app(self) -> Starlette:
        async def token(request: Request) -> Response:
            async with request.form() as form:
                asked = {name: str(value) for name, value in form.items()}
            self.forms.append(asked)
            if self.token_answer is not None:
                return self.token_answer(asked)
            return JSONResponse({"access_token": f"t{len(self.forms)}", "expires_in": 3600})

        async def anything(request: Request) -> Response:
            seen = Seen(
                request.method,
                request.scope["raw_path"].decode(),
                dict(request.query_params),
                dict(request.headers),
                await request.body(),
            )
            self.seen.append(seen)
            return self.answering(seen)

        verbs = ["GET", "POST", "PUT", "DELETE"]
        return Starlette(
            routes=[
                Route("/connect/token", token, methods=["POST"]),
                Route("/{path:path}", anything, methods=verbs),
            ]
        )


@contextmanager
def client_of(server: Peculiar, **options: Any) -> Iterator[VismaNetClient]:
    with running(server.app()) as url:
        client = VismaNetClient(
            url,
            f"{url}/connect",
            options.pop("kind", "service"),
            "isv_test",
            "top-secret",
            "6f9d3b52-0c1e-4c55-9b1a-7d3c8e5f2a10",
            tokens=options.pop("tokens", MemoryTokenStore()),
            pacer=NoPacing(),
            **options,
        )
        try:
            yield client
        finally:
            client.close()


def row(number: int, **more: Any) -> dict[str, Any]:
    return {"internalId": number, "number": str(number), "name": f"Kund {number}", **more}


def paged(rows: list[dict[str, Any]], *, cap: int, metadata: bool = True) -> Answering:
    """Pages of at most ``cap`` rows, whatever pageSize says."""

    def answer(seen: Seen) -> Response:
        size = min(int(seen.query["pageSize"]), cap)
        number = int(seen.query["pageNumber"])
        count = {"metadata": {"totalCount": len(rows), "maxPageSize": cap}} if metadata else {}
        return JSONResponse([{**one, **count} for one in rows[(number - 1) * size : number * size]])

    return answer


# ---------------------------------------------------------------- pages


@pytest.mark.parametrize("metadata", [True, False])
def test_a_page_size_that_is_cut_silently_loses_no_row(*, metadata: bool) -> None:
    server = Peculiar(paged([row(n) for n in range(25)], cap=10, metadata=metadata))
    with client_of(server) as client:
        assert [one["internalId"] for one in client.list("customer")] == list(range(25))


def test_a_server_with_smaller_pages_than_its_metadata_says_loses_no_row() -> None:
    inner = paged([row(n) for n in range(25)], cap=10)

    def answer(seen: Seen) -> Response:
        rows = json.loads(bytes(inner(seen).body))
        for one in rows:
            one["metadata"]["maxPageSize"] = 1000
        return JSONResponse(rows)

    with client_of(Peculiar(answer)) as client:
        assert len(list(client.list("customer"))) == 25


def test_a_server_that_ignores_the_page_number_is_read_once_and_not_for_ever() -> None:
    rows = [row(n, metadata={"totalCount": 900, "maxPageSize": 1000}) for n in range(3)]
    server = Peculiar(lambda _seen: JSONResponse(rows))
    with client_of(server) as client:
        assert len(list(client.list("customer"))) == 3
    assert len(server.seen) == 2


def test_a_row_that_slips_onto_the_next_page_is_given_once() -> None:
    pages = {"1": [row(1), row(2)], "2": [row(2), row(3)], "3": []}
    server = Peculiar(lambda seen: JSONResponse(pages[seen.query["pageNumber"]]))
    with client_of(server) as client:
        assert [one["internalId"] for one in client.list("customer")] == [1, 2, 3]


def test_a_page_past_the_end_may_be_not_found() -> None:
    def answer(seen: Seen) -> Response:
        return JSONResponse([row(1)]) if seen.query["pageNumber"] == "1" else Response(status_code=404)

    with client_of(Peculiar(answer)) as client:
        assert [one["internalId"] for one in client.list("customer")] == [1]


def test_numbers_of_invoices_and_credit_notes_may_be_the_same() -> None:
    rows = [
        {
            "documentType": kind,
            "referenceNumber": "100245",
            "metadata": {"totalCount": 2, "maxPageSize": 1000},
        }
        for kind in ("Invoice", "Credit Note")
    ]
    with client_of(Peculiar(lambda _seen: JSONResponse(rows))) as client:
        assert [one["documentType"] for one in client.list("customerdocument")] == ["Invoice", "CreditNote"]


def test_the_envelope_of_credit_terms_is_taken_off_and_paged() -> None:
    terms = [{"termsId": str(n)} for n in range(7)]

    def answer(seen: Seen) -> Response:
        number = int(seen.query["pageNumber"])
        part = terms[(number - 1) * 5 : number * 5]
        return JSONResponse({"pageNumber": number, "pageSize": 5, "totalCount": 7, "records": part})

    server = Peculiar(answer)
    with client_of(server) as client:
        assert [one["termsId"] for one in client.list("creditTerm")] == [str(n) for n in range(7)]
    assert len(server.seen) == 2


def test_a_register_without_paging_parameters_gets_none() -> None:
    server = Peculiar(lambda _seen: JSONResponse([{"numberingId": "ARINVOICE"}]))
    with client_of(server) as client:
        assert list(client.list("numberSequence")) == [{"numberingId": "ARINVOICE"}]
    assert server.seen[0].query == {}


def test_the_list_of_dimensions_is_a_list_of_words() -> None:
    with client_of(Peculiar(lambda _seen: JSONResponse(["CUSTOMER", "PROJECT"]))) as client:
        assert list(client.list("dimension")) == [{"id": "CUSTOMER"}, {"id": "PROJECT"}]


def test_a_journal_batch_split_over_two_pages_is_put_together() -> None:
    def batch(number: str, *lines: int) -> dict[str, Any]:
        shown = [{"lineNumber": line, "debitAmount": 10.5} for line in lines]
        count = {"totalCount": 5, "maxPageSize": 3}
        return {
            "module": "ModuleGL",
            "batchNumber": number,
            "journalTransactionLines": shown,
            "metadata": count,
        }

    pages = {"1": [batch("A", 1), batch("B", 1, 2)], "2": [batch("B", 3), batch("C", 1)], "3": []}
    server = Peculiar(lambda seen: JSONResponse(pages[seen.query["pageNumber"]]))
    with client_of(server) as client:
        (page,) = client.pages("journaltransaction")
    assert [(one["batchNumber"], len(one["journalTransactionLines"])) for one in page.rows] == [
        ("A", 1),
        ("B", 3),
        ("C", 1),
    ]
    assert server.seen[0].query["lastModifiedDateTime"] == "1990-01-01"


def test_journals_counted_in_batches_instead_of_lines_lose_none() -> None:
    lines = [{"lineNumber": n} for n in range(400)]
    batches = [
        {"module": "ModuleGL", "batchNumber": str(n), "journalTransactionLines": lines} for n in range(4)
    ]
    server = Peculiar(paged(batches, cap=2))
    with client_of(server) as client:
        (page,) = client.pages("journaltransaction")
    assert [one["batchNumber"] for one in page.rows] == ["0", "1", "2", "3"]


# ---------------------------------------------------------------- filters


def test_an_ignored_filter_makes_the_whole_list_unusable() -> None:
    rows = [
        {"documentType": "Invoice", "referenceNumber": "1", "customer": {"number": "10001"}},
        {"documentType": "Invoice", "referenceNumber": "2", "customer": {"number": "10002"}},
    ]
    with (
        client_of(Peculiar(lambda _seen: JSONResponse(rows))) as client,
        pytest.raises(Refused, match=r"filter ignored: customer=10001"),
    ):
        list(client.list("customerdocument", customer="10001"))


def test_a_poll_leaves_out_rows_that_are_far_older_than_asked_for() -> None:
    rows = [
        row(1, lastModifiedDateTime="2026-03-20T06:35:22.15"),
        row(2, lastModifiedDateTime="2024-01-01T00:00:00"),
    ]
    with client_of(Peculiar(lambda _seen: JSONResponse(rows))) as client:
        since = datetime(2026, 3, 20, tzinfo=UTC)
        found = [one for page in client.pages("customer", changed_since=since) for one in page.rows]
    assert [one["number"] for one in found] == ["1"]


def test_changes_are_asked_for_with_their_condition_in_server_time_without_a_zone() -> None:
    server = Peculiar(lambda _seen: JSONResponse([]))
    with client_of(server) as client:
        list(
            client.pages("customerdocument", changed_since=datetime(2026, 7, 1, 8, 0, 0, 250_000, tzinfo=UTC))
        )
        list(client.list("customerdocument", documentDate=datetime(2026, 2, 28, 23, 30, tzinfo=UTC)))
        list(client.list("customerdocument", createdDateTime="2026-02-28", createdDateTimeCondition="<"))
        list(client.list("customer", expandPaymentMethods=True))
    first, second, third, fourth = (seen.query for seen in server.seen)
    assert first["lastModifiedDateTime"] == "2026-07-01T10:00:00.250"
    assert first["lastModifiedDateTimeCondition"] == ">="
    assert (first["pageNumber"], first["pageSize"]) == ("1", "500")
    assert (second["documentDate"], second["documentDateCondition"]) == ("2026-03-01", ">=")
    assert (third["createdDateTime"], third["createdDateTimeCondition"]) == ("2026-02-28", "<")
    assert fourth["expandPaymentMethods"] == "true"


def test_a_misspelt_filter_never_leaves_the_house() -> None:
    server = Peculiar(lambda _seen: JSONResponse([]))
    with client_of(server) as client, pytest.raises(ValueError, match="customerNumber"):
        client.list("customerdocument", customerNumber="10001")
    assert server.seen == []


def test_inventory_is_read_without_its_expansions() -> None:
    server = Peculiar(lambda _seen: JSONResponse([]))
    with client_of(server) as client:
        list(client.pages("inventory"))
    flags = {name: value for name, value in server.seen[0].query.items() if name.startswith("expand")}
    assert len(flags) == 9
    assert set(flags.values()) == {"false"}


# ---------------------------------------------------------------- records


def test_wrapped_scalars_are_unwrapped_and_numbers_are_exact() -> None:
    body = b'{"referenceNumber":{"value":"100245"},"documentType":{"value":"Credit Note"},"amount":1234.7700,"x":null}'
    server = Peculiar(
        lambda _seen: Response(body, headers={"ETAG": '"AAAA="'}, media_type="application/json")
    )
    with client_of(server) as client:
        stored = client.get("customerCreditNote", "100245")
    assert stored.body == {
        "referenceNumber": "100245",
        "documentType": "CreditNote",
        "amount": Decimal("1234.7700"),
        "x": None,
    }
    assert isinstance(stored.body["amount"], Decimal)
    assert stored.etag == '"AAAA="'


def test_a_key_with_reserved_characters_goes_as_base64() -> None:
    server = Peculiar(lambda _seen: JSONResponse({"inventoryNumber": "x"}))
    with client_of(server) as client:
        client.get("inventory", ":/?#[]@&*+;")
        client.get("inventory", "RÖR-1.5")
        client.get("supplierInvoice", "DebitAdj/200771")
        client.get("customer/internal", "4711")
    assert [seen.path for seen in server.seen] == [
        "/v1/inventory/b64(Oi8_I1tdQCYqKzs)",
        "/v1/inventory/R%C3%96R-1.5",
        "/v1/supplierInvoice/DebitAdj/200771",
        "/v1/customer/internal/4711",
    ]


def test_an_empty_answer_to_a_single_read_is_no_record() -> None:
    with client_of(Peculiar(lambda _seen: Response(status_code=204))) as client, pytest.raises(NotFound):
        client.get("customer", "10001")


# ---------------------------------------------------------------- creates


@pytest.mark.parametrize(
    ("location", "key"),
    [
        ("https://api.finance.visma.net/v1/customerinvoice/003547", "003547"),
        ("http://elsewhere.example/API/controller/api/V1/CUSTOMERINVOICE/003547/", "003547"),
        ("/v1/customerinvoice/003547?branch=1", "003547"),
        ("/v1/customerinvoice/b64(QS8x)", "A/1"),
        ("/v1/customerinvoice/A%2F1", "A/1"),
        ("/v1/customerinvoice", ""),
        ("", ""),
    ],
)
@pytest.mark.parametrize("status", [200, 201, 204])
def test_the_key_of_a_create_is_read_from_any_location(location: str, key: str, status: int) -> None:
    headers = {"LOCATION": location} if location else {}
    server = Peculiar(lambda _seen: Response(status_code=status, headers=headers))
    with client_of(server) as client:
        assert client.create("customerinvoice", {"hold": {"value": True}}) == key
    (seen,) = server.seen
    assert (seen.method, seen.path) == ("POST", "/v2/customerinvoice")


def test_amounts_are_written_as_exact_decimals() -> None:
    server = Peculiar(lambda _seen: Response(status_code=201))
    with client_of(server) as client:
        client.create("inventory", {"defaultPrice": {"value": Decimal("1450.10")}})
    assert server.seen[0].body == b'{"defaultPrice": {"value": 1450.10}}'


def test_a_location_with_the_internal_id_is_followed_to_the_number() -> None:
    def answer(seen: Seen) -> Response:
        if seen.method == "POST":
            return Response(
                status_code=201, headers={"Location": "http://other.example/v1/customer/internal/4711"}
            )
        return JSONResponse({"internalId": 4711, "number": "10488"})

    server = Peculiar(answer)
    with client_of(server) as client:
        assert client.create("customer", {"name": {"value": "Nordlys"}}) == "10488"
    assert server.seen[1].path == "/v1/customer/internal/4711"


def test_a_number_that_cannot_be_read_after_a_create_does_not_undo_the_yes() -> None:
    def answer(seen: Seen) -> Response:
        if seen.method == "POST":
            return Response(status_code=201, headers={"Location": "/v1/customer/internal/4711"})
        return Response(status_code=429, headers={"Retry-After": "1800"})

    with client_of(Peculiar(answer)) as client:
        assert client.create("customer", {"name": {"value": "Nordlys"}}) == ""


@pytest.mark.parametrize(
    ("location", "key"),
    [
        ("https://x.example/v1/inventory/A/1 #2", "A/1 #2"),
        ("/v1/inventory/a/1%20%232", "A/1 #2"),
        ("/v1/inventory/b64(QS8xICMy)", "A/1 #2"),
        ("/v1/inventory/000017", "000017"),
    ],
)
def test_a_code_that_was_sent_is_known_again_unless_another_was_given(location: str, key: str) -> None:
    server = Peculiar(lambda _seen: Response(status_code=201, headers={"Location": location}))
    with client_of(server) as client:
        assert client.create("inventory", {"inventoryNumber": {"value": "A/1 #2"}}) == key


def test_a_create_that_answers_with_the_record_gives_its_number() -> None:
    with client_of(Peculiar(lambda _seen: JSONResponse({"projectID": "P1042"}, status_code=201))) as client:
        assert client.create("project", {"description": {"value": "Flytt"}}) == "P1042"


def test_a_task_is_created_below_the_internal_id_of_its_project() -> None:
    server = Peculiar(lambda _seen: Response(status_code=201, headers={"Location": "/v1/projecttask/2001"}))
    with client_of(server) as client:
        assert client.create("projecttask/812", {"taskId": {"value": "10"}}) == "2001"
    assert server.seen[0].path == "/v1/projecttask/812"


@pytest.mark.parametrize("status", [500, 502, 504, 302])
def test_a_create_without_a_clear_answer_is_unknown_and_sent_once(status: int) -> None:
    server = Peculiar(lambda _seen: Response("<html>Bad gateway</html>", status_code=status))
    with client_of(server) as client, pytest.raises(OutcomeUnknown):
        client.create("customerinvoice", {})
    assert len(server.seen) == 1


# ---------------------------------------------------------------- the background nobody asked for


def background(*states: dict[str, Any], content: Response | None = None) -> Answering:
    left = list(states)

    def answer(seen: Seen) -> Response:
        if seen.method != "GET":
            body = {"id": "job-1", "stateLocation": "https://elsewhere.example/v1/background/job-1"}
            return JSONResponse(body, status_code=202)
        if seen.path.endswith("/content"):
            return content or Response(status_code=404)
        assert seen.path == "/v1/background/job-1"
        return JSONResponse(left.pop(0) if len(left) > 1 else left[0])

    return answer


def test_a_call_taken_for_the_background_is_waited_for() -> None:
    done = {"status": "Finished", "statusCode": 201, "responseHeaders": {"Location": "/v1/customerinvoice/7"}}
    server = Peculiar(background({"status": "Started", "statusCode": 0}, done))
    with client_of(server) as client:
        assert client.create("customerinvoice", {}) == "7"


def test_finished_does_not_mean_successful() -> None:
    refusal = JSONResponse({"message": "Payment can't be updated because it is already released."})
    server = Peculiar(background({"status": "Finished", "statusCode": 400}, content=refusal))
    with client_of(server) as client, pytest.raises(Refused, match="already released"):
        client.act("customerPayment", "400654", "release", {"type": {"value": "Payment"}})


def test_a_background_call_that_does_not_end_in_time_is_unknown() -> None:
    server = Peculiar(background({"status": "Started", "statusCode": 0}))
    with client_of(server, create_timeout=0.5) as client, pytest.raises(OutcomeUnknown):
        client.create("customerinvoice", {})


def test_a_background_state_that_is_refused_says_nothing_about_the_call() -> None:
    def answer(seen: Seen) -> Response:
        if seen.method == "POST":
            return JSONResponse({"id": "job-1"}, status_code=202)
        return Response(status_code=410)

    with client_of(Peculiar(answer)) as client, pytest.raises(OutcomeUnknown):
        client.create("customerinvoice", {})


# ---------------------------------------------------------------- actions, changes, attachments


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (Response(status_code=200), ("Done", "")),
        (Response(status_code=204), ("Done", "")),
        (JSONResponse({"actionId": "x", "actionResult": "done", "errorInfo": None}), ("Done", "")),
        (JSONResponse({"actionResult": "In Process"}), ("InProcess", "")),
        (JSONResponse({"actionResult": "Queued", "errorInfo": ""}), ("Queued", "")),
        (
            JSONResponse({"actionResult": "Failed", "errorInfo": "Period is closed."}),
            ("Failed", "Period is closed."),
        ),
    ],
)
def test_the_result_of_an_action(answer: Response, result: tuple[str, str]) -> None:
    server = Peculiar(lambda _seen: answer)
    with client_of(server) as client:
        found = client.act("customerinvoice", "003547", "release")
    assert (found.result, found.error) == result
    assert server.seen[0].path == "/v1/customerinvoice/003547/action/release"


def test_a_customer_is_renumbered_by_its_internal_id() -> None:
    server = Peculiar(lambda _seen: JSONResponse({}))
    with client_of(server) as client:
        client.act("customer", "4711", "changeCustomerCd", {"customerCd": "10500"})
    assert server.seen[0].path == "/v1/customer/action/changeCustomerCd/4711"


def test_if_match_goes_back_as_it_came_and_the_new_version_is_given() -> None:
    server = Peculiar(lambda _seen: Response(status_code=204, headers={"ETag": '"BBBB="'}))
    with client_of(server) as client:
        assert client.update("customer", "10001", {"name": {"value": "B"}}, etag='"AAAA="') == '"BBBB="'
        client.update("inventory", "A1", {"description": {"value": "B"}}, etag='"AAAA="')
    assert server.seen[0].headers["if-match"] == '"AAAA="'
    assert "if-match" not in server.seen[1].headers


@pytest.mark.parametrize(
    "answer",
    [
        Response(status_code=412),
        JSONResponse(
            {"message": "Another process has updated the 'Customer' record. Your changes will be lost."}, 500
        ),
    ],
)
def test_a_record_changed_meanwhile_is_stale_whatever_the_status(answer: Response) -> None:
    with client_of(Peculiar(lambda _seen: answer)) as client, pytest.raises(Stale):
        client.update("customer", "10001", {}, etag='"AAAA="')


def test_a_document_that_is_gone_counts_as_deleted() -> None:
    with client_of(Peculiar(lambda _seen: Response(status_code=404))) as client:
        client.delete("customerinvoice", "003547")


def test_an_attachment_goes_as_multipart() -> None:
    server = Peculiar(lambda _seen: Response(status_code=201))
    with client_of(server) as client:
        client.attach("customerinvoice", "003547", "tidrapport.pdf", b"%PDF-1.7")
    (seen,) = server.seen
    assert seen.path == "/v1/customerinvoice/003547/attachment"
    assert seen.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'filename="tidrapport.pdf"' in seen.body
    assert b"Content-Type: application/pdf" in seen.body
    assert b"\r\n\r\n%PDF-1.7\r\n" in seen.body


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"message": "VismaId: 5f.  Error creating document."}, "VismaId: 5f.  Error creating document."),
        (
            {"Message": "The request is invalid.", "ModelState": {"hold": ["bad"]}},
            "The request is invalid. hold: bad",
        ),
        ({"ExceptionType": "IPPException", "ExceptionMessage": "No."}, "No."),
    ],
)
def test_the_vendors_own_words_are_kept(body: dict[str, Any], message: str) -> None:
    with (
        client_of(Peculiar(lambda _seen: JSONResponse(body, 400))) as client,
        pytest.raises(Refused) as refused,
    ):
        client.create("customer", {})
    assert refused.value.message == message
    assert (refused.value.status, refused.value.operation) == (400, "POST /v1/customer")


def test_a_company_without_licence_is_a_matter_of_signing_in() -> None:
    body = {"ExceptionMessage": "No license for this company.", "ExceptionFaultCode": "12027"}
    with (
        client_of(Peculiar(lambda _seen: JSONResponse(body, 403))) as client,
        pytest.raises(SignInFailed) as failed,
    ):
        client.get("customer", "1")
    assert failed.value.reason == "no_license"


def test_a_token_without_a_company_is_a_matter_of_signing_in() -> None:
    body = {"ExceptionMessage": "CompanyInContext is missing"}
    with (
        client_of(Peculiar(lambda _seen: JSONResponse(body, 400))) as client,
        pytest.raises(SignInFailed) as failed,
    ):
        client.get("customer", "1")
    assert failed.value.reason == "unknown_tenant"


def test_a_missing_right_is_forbidden() -> None:
    with client_of(Peculiar(lambda _seen: Response(status_code=403))) as client, pytest.raises(Forbidden):
        client.get("customer", "1")


# ---------------------------------------------------------------- signing in


def test_the_service_application_signs_in_with_its_tenant() -> None:
    server = Peculiar(lambda _seen: JSONResponse([]))
    with client_of(server) as client:
        list(client.list("currency"))
    assert server.forms == [
        {
            "grant_type": "client_credentials",
            "client_id": "isv_test",
            "client_secret": "top-secret",
            "tenant_id": "6f9d3b52-0c1e-4c55-9b1a-7d3c8e5f2a10",
            "scope": " ".join(NEEDED_SCOPES["service"]),
        }
    ]
    assert server.seen[0].headers["authorization"] == "Bearer t1"


def test_a_refused_scope_is_named() -> None:
    def token(form: dict[str, str]) -> Response:
        if "delete" in form["scope"]:
            return JSONResponse({"error": "invalid_scope"}, 400)
        return JSONResponse({"access_token": "t", "expires_in": 3600})

    server = Peculiar(lambda _seen: JSONResponse([]), token_answer=token)
    with client_of(server) as client, pytest.raises(SignInFailed) as failed:
        client.get("customer", "1")
    assert failed.value.reason == "missing_scope"
    assert failed.value.fields["missing"] == ["vismanet_erp_service_api:delete"]


def test_the_check_names_scopes_that_the_token_does_not_have() -> None:
    def token(_form: dict[str, str]) -> Response:
        scope = (
            "vismanet_erp_service_api:read vismanet_erp_service_api:create vismanet_erp_service_api:update"
        )
        return JSONResponse({"access_token": "t", "expires_in": 3600, "scope": scope})

    server = Peculiar(lambda _seen: JSONResponse([]), token_answer=token)
    with client_of(server) as client, pytest.raises(SignInFailed) as failed:
        client.check()
    assert failed.value.fields["missing"] == ["vismanet_erp_service_api:delete"]


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, {"error": "invalid_client"}, "wrong_secret"),
        (401, {"error": "invalid_client"}, "wrong_secret"),
        (400, {"error": "invalid_request", "error_description": "unknown tenant_id"}, "unknown_tenant"),
        (400, {"error": "unauthorized_client"}, "unknown_tenant"),
        (400, {"error": "something_new"}, "refused"),
    ],
)
def test_why_a_sign_in_failed(status: int, body: dict[str, str], reason: str) -> None:
    server = Peculiar(lambda _seen: JSONResponse([]), token_answer=lambda _form: JSONResponse(body, status))
    with client_of(server) as client, pytest.raises(SignInFailed) as failed:
        client.get("customer", "1")
    assert failed.value.reason == reason
    assert "top-secret" not in str(failed.value)


def test_nobody_signed_in_is_signed_out_and_nothing_is_asked() -> None:
    server = Peculiar(lambda _seen: JSONResponse([]))
    with client_of(server, kind="interactive") as client, pytest.raises(SignInFailed) as failed:
        client.get("customer", "1")
    assert failed.value.reason == "signed_out"
    assert server.forms == []


def test_a_sign_in_service_that_is_down_is_a_matter_of_time() -> None:
    server = Peculiar(lambda _seen: JSONResponse([]), token_answer=lambda _form: Response(status_code=503))
    with client_of(server) as client, pytest.raises(Unavailable):
        client.get("customer", "1")


# ---------------------------------------------------------------- times


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-20T06:35:22.153", datetime(2026, 3, 20, 5, 35, 22, 153_000, tzinfo=UTC)),
        ("2026-03-20T06:35:22.74", datetime(2026, 3, 20, 5, 35, 22, 740_000, tzinfo=UTC)),
        ("2026-07-20 06:35:22", datetime(2026, 7, 20, 4, 35, 22, tzinfo=UTC)),
        ("2026-03-20T06:35:22.1234567Z", datetime(2026, 3, 20, 6, 35, 22, 123_456, tzinfo=UTC)),
        ("2026-03-20T06:35:22+01:00", datetime(2026, 3, 20, 5, 35, 22, tzinfo=UTC)),
        ("2026-03-20T06:35:22-0530", datetime(2026, 3, 20, 12, 5, 22, tzinfo=UTC)),
        ("2026-03-17", datetime(2026, 3, 16, 23, 0, tzinfo=UTC)),
        ("2026-10-25T02:30:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("0001-01-01T00:00:00", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_times_are_read_with_any_fraction_with_and_without_a_zone(text: str, moment: datetime) -> None:
    assert parse_time(text) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "2026-03-20T25:00:00", "9" * 10_000])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no time|month|hour|day"):
        parse_time(text)


def test_filters_take_local_time_and_no_zone() -> None:
    moment = datetime(2026, 1, 31, 23, 15, 0, tzinfo=UTC)
    assert filter_time(moment) == "2026-02-01T00:15:00"
    assert filter_time(moment, "Europe/Helsinki") == "2026-02-01T01:15:00"
    assert filter_day(moment) == "2026-02-01"


def test_the_reserved_key_of_the_vendors_own_example() -> None:
    key = ":/?#[]@&*+;"
    assert base64.urlsafe_b64encode(key.encode()).decode().rstrip("=") == "Oi8_I1tdQCYqKzs"
