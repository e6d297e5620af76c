"""An answer is known or not known (never-twice, rule 11): every operation of both clients against the same wrong answers.

The operations come from the clients' own register tables, the answers from ``wrong_answers``. Whatever is answered: no call
may end as "there is none" (NotFound, an empty or a shorter list that looks whole, Done), nor in an error that is not the
bridge's own. A call that must not be repeated ends as *outcome unknown*: taken for a no it would be sent again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from operations import (
    CLIENTS,
    FIRST_ROWS,
    KEY,
    OTHER,
    PAGE,
    ROWS,
    Operation,
    always,
    erp_operations,
    erp_page,
    severa_operations,
)
from wrong_answers import BODIES, HTML, AnswerServer, Asked, Case, Reply, answering, good_token, reply, text

from connectors.http import MemoryTokenStore, Token
from connectors.pacing import NoPacing
from connectors.severa import SeveraClient
from connectors.visma_net import REGISTERS as ERP
from connectors.visma_net import VismaNetClient
from domain.errors import BridgeError, NotFound, NotKnown, OutcomeUnknown, SignInFailed, Unavailable

pytestmark = pytest.mark.schedule("S10")

OPERATIONS = [*severa_operations(), *erp_operations()]
SIGNED_IN = Token("t", datetime(2100, 1, 1, tzinfo=UTC), "", None)
WITHOUT_A_BODY = ("nothing", "nothing, no content", "blanks")
NO_ID = [None, "", "  ", True, {}, [], {"id": "x"}]
NO_AMOUNT = ["abc", "", "1,5", "NaN", "Infinity", "1e400", True, [], {"amount": {}}]
NO_ROW = [None, "word", 7, True, [], {}, {"name": "no id"}, {"value": None}]


# ---------------------------------------------------------------- the cases


def wrong(operation: Operation) -> Iterator[tuple[str, Case]]:
    """Every answer that does not answer this operation."""
    for name, made in BODIES.items():
        if not is_right(operation, name):
            yield name, always(made)
    special: dict[str, Callable[[Operation], Iterator[tuple[str, Case]]]] = {
        "record": wrong_records,
        "changed": wrong_records,
        "list": wrong_lists,
        "made": wrong_makings,
        "result": wrong_results,
    }
    yield from special.get(operation.kind, lambda _: iter(()))(operation)


def is_right(operation: Operation, name: str) -> bool:
    """Whether one of the common answers is a right one here after all."""
    if name in WITHOUT_A_BODY:
        return operation.nothing
    if name == "accepted with nothing" and operation.name == "severa upload":
        # Severa has no background: any yes without a body is one.
        return True
    if operation.kind == "file" and not operation.name.endswith("pdf"):
        # A file of plain text or of XML is a file.
        return name in ("plain text", "XML")
    return name == "a list of words" and operation.name.endswith(" dimension")


def wrong_records(operation: Operation) -> Iterator[tuple[str, Case]]:
    right = operation.row(KEY)
    named = "guid" if operation.name.startswith("severa") else None
    if not any(part in operation.name for part in ("organizationsettings", "companyinformation", "note")):
        yield "no id", always(reply({"name": "no id"}))
    if not operation.none:
        yield "a list with the record", always(reply([right] if operation.kind == "record" else [[right]]))
    # What is read without a key, or shows none, cannot be another one; a country may be searched by its name.
    if not any(
        part in operation.name for part in ("organization", "companyinformation", "note", "countries")
    ):
        yield "another record", always(reply(operation.row(OTHER)))
        yield "a list with another record", always(reply([operation.row(OTHER)]))
    if named in right and not operation.name.endswith("organizationdetails"):
        for value in [*NO_ID, "\ud800", f"{KEY}\x00"]:
            yield f"guid {value!a}", always(reply({**right, "guid": value}))
    for value in NO_AMOUNT:
        yield f"amount {value!r}", always(reply({**right, "amount": value}))
        yield f"quantity {value!r} below", always(reply({**right, "lines": [{"sum": {"quantity": value}}]}))
    yield "an amount that fills the memory", always(text(json.dumps(right)[:-1] + ', "x": 1e999999999}'))


def wrong_makings(operation: Operation) -> Iterator[tuple[str, Case]]:
    if operation.name.startswith("erp"):
        yield "no key", always(reply({"name": "no key"}, 201))
        yield "another place", always(Reply(HTML.encode(), 200, {"Location": "/login?again=1"}))
        return
    for value in NO_ID:
        yield f"guid {value!r}", always(reply({"guid": value}, 201))
    yield "two records", always(reply([{"guid": KEY}, {"guid": OTHER}], 201))
    if operation.method == "create":
        yield "a place that cannot be read", always(Reply(b"", 201, {"Location": f"/v1/x/{KEY}"}))


def wrong_results(operation: Operation) -> Iterator[tuple[str, Case]]:
    for value in [None, "", " ", True, {}, []]:
        yield f"result {value!r}", always(reply({"actionResult": value}))
    yield "a list with the result", always(reply([{"actionResult": "Done"}]))
    yield "only an error text", always(reply({"errorInfo": "x"}))


def wrong_lists(operation: Operation) -> Iterator[tuple[str, Case]]:
    right = operation.right
    if operation.paging == "single":
        yield "a list with the object", always(reply([operation.row("1")]))
        return
    yield "an object with the rows", always(reply({"rows": [operation.row("1")]}))
    yield "one row without its list", always(reply(operation.row("1")))
    if operation.method != "check":
        for bad in NO_ROW:
            if not (isinstance(bad, str) and operation.name.endswith(" dimension")):
                yield (
                    f"{bad!r} among the rows",
                    with_rows(right, lambda rows, bad=bad: [rows[0], bad, *rows[1:]]),
                )
    if operation.method == "list" and not operation.name.endswith(" dimension"):
        for value in NO_AMOUNT:
            yield (
                f"amount {value!r} in a row",
                with_rows(right, lambda rows, value=value: [{**rows[0], "amount": value}, *rows[1:]]),
            )
    if operation.paging in ("token", "rows", "pages", "lines", "envelope"):
        yield from wrong_pages(operation)
    if operation.paging in ("pages", "lines", "envelope", "whole"):
        yield from wrong_counts(operation)


def with_rows(right: Case, change: Callable[[list[Any]], list[Any]]) -> Case:
    """The right list with other rows on its first page."""

    def case(asked: Asked) -> Reply:
        made = right(asked)
        body = json.loads(made.body)
        if asked.page == 1 and isinstance(body, dict):
            body["records"] = change(body["records"])
        elif asked.page == 1:
            body = change(body)
        return Reply(json.dumps(body).encode(), made.status, made.headers)

    return case


def wrong_pages(operation: Operation) -> Iterator[tuple[str, Case]]:
    def later(made: Reply | Callable[[Asked], Reply]) -> Case:
        def case(asked: Asked) -> Reply:
            if asked.page == 1:
                return operation.right(asked)
            return made if isinstance(made, Reply) else made(asked)

        return case

    first = operation.right(Asked("GET", "", 1))
    yield "page 1 again for ever", later(first)
    # Without a count an empty page, or one that names no next one, is the end.
    if operation.paging not in ("token", "rows"):
        yield "an empty later page", later(with_rows_of(first, []))
    if operation.paging == "token":
        yield "a token that comes again", later(reply([operation.row("99")], NextPageToken="2"))
        yield "one token for ever, with new rows", under_one_token(operation)
    yield "a later page that is not found", later(reply({"message": "Not found."}, 404))
    yield "a later page without a body that is not found", later(Reply(b"", 404))
    for name, made in BODIES.items():
        if name not in ("a redirect", "a list of words") or not operation.name.endswith(" dimension"):
            yield f"a later page: {name}", later(made)


def under_one_token(operation: Operation) -> Case:
    """Fifty pages of new rows, every one naming the same next one."""
    numbers = iter(range(1000))

    def case(_asked: Asked) -> Reply:
        number = next(numbers)
        more = {"NextPageToken": "2"} if number < 50 else {}
        return reply([operation.row(str(number))], **more)

    return case


def with_rows_of(made: Reply, rows: list[Any]) -> Reply:
    body = json.loads(made.body)
    return reply({**body, "records": rows} if isinstance(body, dict) else rows)


def wrong_counts(operation: Operation) -> Iterator[tuple[str, Case]]:
    register = ERP[operation.name.rpartition(" ")[2]] if operation.method != "check" else ERP["organization"]
    if register.words or operation.method == "check":
        return
    row = operation.row
    count = {"totalCount": ROWS, "maxPageSize": PAGE}
    if operation.paging == "envelope":
        yield "more told than there are", lambda asked: reply(erp_page(register, row, asked.page, 900))
        for total in (None, "abc", -1, True, {}):
            yield f"a count of {total!r}", always(reply({"totalCount": total, "records": [row("1")]}))
        yield "no count", always(reply({"records": []}))
        yield "no rows of some", always(reply({"totalCount": 7, "records": []}))
        yield "null for rows", always(reply({"totalCount": 0, "records": None}))
        yield "a bare list", always(reply([row("1")]))
        return
    told = [{**row(str(n)), "metadata": {"totalCount": 900, "maxPageSize": PAGE}} for n in range(PAGE)]
    yield "more told than there are", lambda asked: reply(told if asked.page == 1 else [])
    as_text = [{**one, "metadata": {"totalCount": "900"}} for one in told]
    yield "more told in text", lambda asked: reply(as_text if asked.page == 1 else [])
    twice = [{**row("1"), "metadata": count} for _ in range(ROWS)]
    yield "one row seven times", lambda asked: reply(twice if asked.page == 1 else [])


# ---------------------------------------------------------------- what is odd and right all the same


def odd(operation: Operation) -> Iterator[tuple[str, Case]]:
    """Answers in other clothes: they must be taken as the right one is."""

    def dressed(name: str, change: Callable[[Reply], Reply]) -> tuple[str, Case]:
        return name, lambda asked: change(operation.right(asked))

    if operation.kind not in ("record", "list") or not operation.right(Asked("GET", "", 1)).body:
        return
    yield dressed("plain text by name", lambda made: kind_of(made, "text/plain"))
    yield dressed("no content type", lambda made: kind_of(made, ""))
    mark = b"\xef\xbb\xbf"
    yield dressed("a byte order mark", lambda made: Reply(mark + made.body, made.status, made.headers))
    yield dressed("raw letters", recoded)
    if operation.name.endswith(" dimension") and operation.kind == "list":
        return
    more = {
        "amount": "12.50",
        "quantity": "-3",
        "status": "Sleeping",
        "note": "a\x00b \ud800 å日本",
        "\ud800": None,
        "unknown": {"deep": [1, 2]},
    }
    yield dressed("unknown words, NUL, a lone surrogate", lambda made: with_members(made, more))
    if operation.name.startswith("erp") and operation.paging != "envelope":
        yield dressed("wrapped scalars", wrapped)


def kind_of(made: Reply, kind: str) -> Reply:
    headers = {name: value for name, value in made.headers.items() if name != "Content-Type"}
    return Reply(made.body, made.status, {**headers, **({"Content-Type": kind} if kind else {})})


def recoded(made: Reply) -> Reply:
    body = json.dumps(json.loads(made.body), ensure_ascii=False).encode()
    return Reply(body, made.status, made.headers)


def with_members(made: Reply, more: dict[str, Any]) -> Reply:
    body = json.loads(made.body)
    if isinstance(body, dict) and "records" in body:
        body["records"] = [{**more, **row} for row in body["records"]]
    else:
        body = [{**more, **row} for row in body] if isinstance(body, list) else {**more, **body}
    return Reply(json.dumps(body).encode(), made.status, made.headers)


def wrapped(made: Reply) -> Reply:
    def wrap(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: one if name == "metadata" else wrap(one) for name, one in value.items()}
        return [wrap(one) for one in value] if isinstance(value, list) else {"value": value}

    return Reply(json.dumps(wrap(json.loads(made.body))).encode(), made.status, made.headers)


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
    return SeveraClient(
        server.url, "id", "secret", tokens=tokens, pacer=NoPacing(), read_timeout=20, create_timeout=20
    )


def erp_client(server: AnswerServer, tokens: MemoryTokenStore, **more: Any) -> VismaNetClient:
    settings = {"read_timeout": 20, "create_timeout": 20, **more}
    kind = settings.pop("kind", "service")
    auth = f"{server.url}/connect"
    return VismaNetClient(
        server.url, auth, kind, "id", "secret", "t", tokens=tokens, pacer=NoPacing(), **settings
    )


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
    kind = "service" if way == "service" else "interactive"
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
    client = erp_client(server, MemoryTokenStore(SIGNED_IN), create_timeout=0.3)
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
    client = erp_client(server, MemoryTokenStore(SIGNED_IN), create_timeout=5)
    try:
        with pytest.raises(OutcomeUnknown):
            client.act("customerinvoice", KEY, "release")
    finally:
        client.close()
