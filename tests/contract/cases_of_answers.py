"""The cases of the conformance of answers: what does not answer an operation, and what does in other clothes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from operations import KEY, OTHER, PAGE, ROWS, Operation, always, erp_page
from wrong_answers import BODIES, HTML, Asked, Case, Reply, reply, text

from connectors.visma_net import REGISTERS as ERP

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
