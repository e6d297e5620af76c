"""An answer is known or not known (docs/never-twice.md rule 11): every operation of both clients against the same wrong answers.

The operations come from the clients' own register tables, the answers from ``wrong_answers``. Whatever is answered: no call
may end as "there is none" (NotFound, an empty or a shorter list that looks whole, Done), nor in an error that is not the
bridge's own. A call that must not be repeated ends as *outcome unknown*: taken for a no it would be sent again.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from cases_of_answers import WITHOUT_A_BODY, odd, wrong
from operations import (
    CLIENTS,
    FIRST_ROWS,
    KEY,
    ROWS,
    Operation,
    always,
    erp_operations,
    severa_operations,
)
from wrong_answers import BODIES, HTML, AnswerServer, Asked, Reply, answering, good_token, reply, text

from connectors.endpoint import Conduct, Timeouts
from connectors.pacing import NoPacing
from connectors.severa import SeveraAccess, SeveraClient
from connectors.signing_in import MemoryTokenStore, Token
from connectors.visma_net import Kind, VismaNetAccess, VismaNetClient
from domain.errors import BridgeError, NotFound, NotKnown, OutcomeUnknown, SignInFailed, Unavailable

pytestmark = pytest.mark.schedule("S10")

OPERATIONS = [*severa_operations(), *erp_operations()]
SIGNED_IN = Token("t", datetime(2100, 1, 1, tzinfo=UTC), "", None)


# ---------------------------------------------------------------- the proof


@pytest.fixture(scope="module")
def server() -> Iterator[AnswerServer]:
    with answering() as made, structlog.testing.capture_logs():
        yield made


@pytest.fixture(scope="module")
def clients(server: AnswerServer) -> Iterator[dict[str, SeveraClient | VismaNetClient]]:
    severa = severa_client(server, MemoryTokenStore(SIGNED_IN))
    erp = erp_client(server, MemoryTokenStore(SIGNED_IN))
    yield {"severa": severa, "erp": erp}
    severa.close()
    erp.close()


def severa_client(server: AnswerServer, tokens: MemoryTokenStore) -> SeveraClient:
    conduct = Conduct(tokens=tokens, pacer=NoPacing(), timeouts=Timeouts(read=20, create=20))
    return SeveraClient(SeveraAccess(server.url, "id", "secret"), conduct)


def erp_client(
    server: AnswerServer, tokens: MemoryTokenStore, *, kind: Kind = "service", create: float = 20
) -> VismaNetClient:
    access = VismaNetAccess(server.url, f"{server.url}/connect", kind, "id", "secret", "t")
    conduct = Conduct(tokens=tokens, pacer=NoPacing(), timeouts=Timeouts(read=20, create=create))
    return VismaNetClient(access, conduct)


def outcome(operation: Operation, client: Any) -> tuple[Any, BaseException | None]:
    """What the caller gets: the answer (of a list the rows that came), and the error it ended with."""
    rows: list[Any] = []
    try:
        got = operation.call(client)
        if operation.kind != "list":
            return got, None
        for row in got:
            rows.append(row)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is judged
        return rows, error
    return rows, None


def fault(operation: Operation, got: Any, error: BaseException | None) -> str:
    """What is wrong with how a call ended; '' if nothing is."""
    if error is None:
        return f"taken for an answer: {got!r:.100}"
    if isinstance(error, NotFound) or not isinstance(error, BridgeError):
        return f"ended as {type(error).__name__}: {error!s:.100}"
    right = (OutcomeUnknown,) if operation.once else (NotKnown, Unavailable)
    return "" if isinstance(error, right) else f"ended as {type(error).__name__}: {error!s:.100}"


def of(operation: Operation, clients: dict[str, SeveraClient | VismaNetClient]) -> Any:
    return clients[operation.name.partition(" ")[0]]


each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=str)


def test_every_public_operation_of_both_clients_is_among_them() -> None:
    """What is new in a client must be here; signing in is tested below."""
    elsewhere = {"close", "authorize_url", "exchange_code"}
    for system, client in CLIENTS.items():
        public = {name for name in vars(client) if not name.startswith("_")} - elsewhere
        tested = {one.method for one in OPERATIONS if one.name.startswith(system)}
        assert public - {"check"} == tested - {"check"}, system


def test_the_figure() -> None:
    """Cases of this file that must end as not known; the documentation names it."""
    assert len(OPERATIONS) > 250
    assert sum(1 for operation in OPERATIONS for _ in wrong(operation)) > 12_000


@each_operation
def test_the_right_answer_is_an_answer(
    operation: Operation, server: AnswerServer, clients: dict[str, SeveraClient | VismaNetClient]
) -> None:
    server.case = operation.right
    got, error = outcome(operation, of(operation, clients))
    assert error is None
    if operation.kind == "list":
        expected = {"rows": FIRST_ROWS + ROWS, "single": 1}.get(operation.paging, ROWS)
        assert len(got) == (1 if operation.method == "check" else expected)


@each_operation
def test_a_wrong_answer_is_not_known(
    operation: Operation, server: AnswerServer, clients: dict[str, SeveraClient | VismaNetClient]
) -> None:
    faults = []
    for name, case in wrong(operation):
        server.case = case
        found = fault(operation, *outcome(operation, of(operation, clients)))
        if found:
            faults.append(f"{name}: {found}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.kind in ("record", "list")], ids=str)
def test_an_answer_in_other_clothes_is_the_same_answer(
    operation: Operation, server: AnswerServer, clients: dict[str, SeveraClient | VismaNetClient]
) -> None:
    server.case = operation.right
    right, _ = outcome(operation, of(operation, clients))
    for name, case in odd(operation):
        server.case = case
        got, error = outcome(operation, of(operation, clients))
        assert error is None, name
        assert len(got) >= len(right), name


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.none], ids=str)
def test_an_empty_list_in_shape_is_known_to_be_empty(
    operation: Operation, server: AnswerServer, clients: dict[str, SeveraClient | VismaNetClient]
) -> None:
    server.case = always(reply([]))
    got, error = outcome(operation, of(operation, clients))
    if operation.kind == "record":
        # A search that found none is the one 200 that says so.
        assert isinstance(error, NotFound)
    else:
        assert (got, error) == ([], None)


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.kind == "changed"], ids=str)
@pytest.mark.parametrize("shown", [True, False])
def test_a_change_that_was_answered_with_a_page_is_read_back(
    operation: Operation,
    shown: bool,  # noqa: FBT001 - a parameter of the test
    server: AnswerServer,
    clients: dict[str, SeveraClient | VismaNetClient],
) -> None:
    stored = operation.row(KEY) if shown else {**operation.row(KEY), "name": "as before"}

    def case(asked: Asked) -> Reply:
        return reply(stored) if asked.method == "GET" else text(HTML, kind="text/html")

    server.case = case
    _, error = outcome(operation, of(operation, clients))
    assert error is None if shown else isinstance(error, NotKnown)


# ---------------------------------------------------------------- signing in

NO_TOKEN: dict[str, Reply] = {
    **{name: made for name, made in BODIES.items() if made.status < 400 and not made.cut},
    "no token": reply({"expires_in": 3600}),
    "an empty token": reply({"access_token": "", "expires_in": 3600}),
    "null for a token": reply({"access_token": None}),
    "a token with a NUL": reply({"access_token": "a\x00b", "expires_in": 3600}),
    "a token of two lines": reply({"access_token": "a\r\nX: b", "expires_in": 3600}),
    "a token with a lone surrogate": reply({"access_token": "a\ud800", "expires_in": 3600}),
    "a token in letters that no header carries": reply({"access_token": "nyckelå", "expires_in": 3600}),
    "an end in words": reply({"access_token": "t", "expires_in": "soon"}),
    "an end that no calendar has": reply({"access_token": "t", "expires_in": 10**15}),
    "an end before now": reply({"access_token": "t", "expires_in": -5}),
    "a list with the token": reply([{"access_token": "t", "expires_in": 3600}]),
    "a scope that is a number": reply({"access_token": "t", "expires_in": 3600, "scope": 7}),
    "a 401 of a proxy": text(HTML, 401, "text/html"),
    "a 403 of a proxy": text(HTML, 403, "text/html"),
    "a 404 of a proxy": text(HTML, 404, "text/html"),
}


def sign_in(client: Any, way: str) -> None:
    if way == "code":
        client.exchange_code("code", "verifier", "https://bridge.example/back")
    else:
        client.get("customers" if way == "severa" else "customer", KEY)


@pytest.mark.parametrize("name", NO_TOKEN)
@pytest.mark.parametrize("way", ["severa", "service", "refreshing", "code"])
def test_a_sign_in_that_is_not_understood_is_never_a_wrong_secret(
    way: str, name: str, server: AnswerServer
) -> None:
    server.token = lambda: NO_TOKEN[name]
    server.case = always(reply({"guid": KEY, "internalId": KEY, "number": KEY}))
    stored = Token("old", datetime(2020, 1, 1, tzinfo=UTC), "", "refresh")
    kind: Kind = "service" if way == "service" else "interactive"
    store = MemoryTokenStore(stored)
    client: Any = severa_client(server, store) if way == "severa" else erp_client(server, store, kind=kind)
    try:
        with pytest.raises((NotKnown, Unavailable)):
            sign_in(client, way)
        assert store.load() == stored
    finally:
        server.token = good_token
        client.close()


@pytest.mark.parametrize("way", ["severa", "service"])
def test_a_sign_in_that_the_vendor_refuses_is_refused(way: str, server: AnswerServer) -> None:
    refusal = {"error": "invalid_client"} if way == "service" else {"error": {"type": "InvalidParameter"}}
    server.token = lambda: reply(refusal, 401)
    store = MemoryTokenStore()
    client: Any = severa_client(server, store) if way == "severa" else erp_client(server, store)
    try:
        with pytest.raises(SignInFailed) as caught:
            client.get("customers" if way == "severa" else "customer", KEY)
        assert caught.value.reason == "wrong_secret"
    finally:
        server.token = good_token
        client.close()


# ---------------------------------------------------------------- calls that went to the background

STATES: dict[str, Reply] = {
    **{name: made for name, made in BODIES.items() if not made.cut and made.status != 202},
    "another call's state": reply({"id": "job-2", "status": "Finished", "statusCode": 201}),
    "a failed one": reply({"id": "job-1", "status": "Failed", "statusCode": 0}),
    "no status yet": reply({"id": "job-1", "status": "Started", "statusCode": 0}),
    "a status in words": reply({"id": "job-1", "status": "Finished", "statusCode": "fine"}),
}


@pytest.mark.parametrize("name", STATES)
def test_a_background_state_that_is_not_understood_leaves_the_outcome_unknown(
    name: str, server: AnswerServer
) -> None:
    def case(asked: Asked) -> Reply:
        return reply({"id": "job-1"}, 202) if asked.method == "POST" else STATES[name]

    server.case = case
    client = erp_client(server, MemoryTokenStore(SIGNED_IN), create=0.3)
    try:
        with pytest.raises(OutcomeUnknown):
            client.act("customerinvoice", KEY, "release")
    finally:
        client.close()


CONTENTS = {
    name: made
    for name, made in BODIES.items()
    if name not in WITHOUT_A_BODY and not made.cut and made.status != 202
}


@pytest.mark.parametrize("name", CONTENTS)
def test_a_background_answer_that_is_not_understood_is_not_done(name: str, server: AnswerServer) -> None:
    def case(asked: Asked) -> Reply:
        if asked.method == "POST":
            return reply({"id": "job-1"}, 202)
        if asked.path.endswith("/content"):
            return CONTENTS[name]
        return reply({"id": "job-1", "status": "Finished", "statusCode": 200})

    server.case = case
    client = erp_client(server, MemoryTokenStore(SIGNED_IN), create=5)
    try:
        with pytest.raises(OutcomeUnknown):
            client.act("customerinvoice", KEY, "release")
    finally:
        client.close()
