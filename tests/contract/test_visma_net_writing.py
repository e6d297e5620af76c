"""How the Visma.net connector writes to servers that answer in their own, peculiar ways."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from peculiar_erp import Answering, Peculiar, Seen, client_of
from starlette.responses import JSONResponse, Response

from connectors.endpoint import Timeouts
from domain.errors import (
    NotKnown,
    OutcomeUnknown,
    Refused,
    Stale,
)

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
    with client_of(server, timeouts=Timeouts(create=0.5)) as client, pytest.raises(OutcomeUnknown):
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
    server = Peculiar(lambda _seen: JSONResponse({"actionResult": "Done"}))
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


@pytest.mark.parametrize(("status", "removed"), [(204, True), (404, False)])
def test_a_delete_says_whether_there_was_a_document_to_remove(status: int, *, removed: bool) -> None:
    with client_of(Peculiar(lambda _seen: Response(status_code=status))) as client:
        assert client.delete("customerinvoice", "003547") is removed


def test_an_empty_200_is_no_answer_to_a_delete() -> None:
    """The document gives 204; a record that a gateway answered for is still there."""
    with client_of(Peculiar(lambda _seen: Response(status_code=200))) as client, pytest.raises(NotKnown):
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
