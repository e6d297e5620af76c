"""Every public operation of both clients, derived from their register tables, with the answer that would be right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from wrong_answers import Asked, Case, Reply, reply

from connectors.severa import REGISTERS as SEVERA
from connectors.severa import SeveraClient
from connectors.severa.registers import DOWNLOADS
from connectors.severa.registers import Register as SeveraRegister
from connectors.visma_net import REGISTERS as ERP
from connectors.visma_net import VismaNetClient
from connectors.visma_net.register import Register as ErpRegister

Json = dict[str, Any]
Kind = Literal["record", "list", "file", "made", "changed", "done", "result"]
"""record: one by its key · list: all rows · file: bytes · made: a create that answers the record · changed: a write that may
be repeated and answers the record or nothing · done: a write that answers nothing · result: an action."""

KEY = "10001"
OTHER = "10002"
ROWS = 7
PAGE = 3
"""Rows that a right list has, and rows on each of its pages where it has pages."""
FIRST_ROWS = 20
"""Rows on the first page of a list that is paged by rows: a shorter one would be the last."""


@dataclass(frozen=True)
class Operation:
    """One call of a client. ``call`` gives what a caller gets: a record, the rows of a list, bytes, a key.

    paging   how the list is paged, '' for everything else
    right    the reply that answers it
    row      makes the n-th row or record; ``key`` its number
    nothing  an answer without a body is right
    none     an empty array is right (a list without rows, a search without hits)
    once     the call must not be repeated
    """

    name: str
    method: str
    kind: Kind
    call: Callable[[Any], Any]
    right: Case
    row: Callable[[str], Json] = dict
    paging: str = ""
    nothing: bool = False
    none: bool = False
    once: bool = False

    def __str__(self) -> str:
        return self.name


def as_rows(found: Iterable[Json]) -> Iterator[Json]:
    yield from found


def of_pages(found: Iterable[Any]) -> Iterator[Json]:
    for page in found:
        yield from page.rows


def always(made: Reply) -> Case:
    return lambda _asked: made


# ---------------------------------------------------------------- Severa


def severa_operations() -> Iterator[Operation]:
    for register in SEVERA.values():
        yield from _severa_reads(register)
        yield from _severa_writes(register)
    for name in DOWNLOADS:
        pdf = {"Content-Type": "application/pdf"}
        yield Operation(
            f"severa download {name}",
            "download",
            "file",
            lambda client, name=name: client.download(name, KEY),
            always(Reply(b"%PDF-1.7 content", 200, pdf)),
        )
    yield Operation(
        "severa upload",
        "upload",
        "made",
        lambda client: client.upload(KEY, "a.pdf", "b", b"%PDF"),
        always(reply([{"guid": KEY}], 201)),
        lambda key: {"guid": key},
        nothing=True,
        once=True,
    )


def _severa_row(register: SeveraRegister) -> Callable[[str], Json]:
    if register.shows != ("guid",):
        return lambda key: {register.shows[0]: key, "name": "Näsåker"}
    return lambda key: {"guid": key, "name": f"Näsåker {key}"}


def _severa_reads(register: SeveraRegister) -> Iterator[Operation]:
    name, row = register.name, _severa_row(register)
    single = register.paging == "single"
    if register.item_path or single:
        key = "" if single else KEY
        yield Operation(
            f"severa get {name}",
            "get",
            "record",
            lambda client: client.get(name, key),
            always(reply(row(KEY))),
            row,
            none=register.searched,
        )
    if register.list_path is None:
        return
    right = always(reply(row("1"))) if single else severa_pages(register.paging, row)
    parent = KEY if register.needs_parent else None
    made = {
        "row": row,
        "paging": register.paging,
        "none": not single,
    }
    yield Operation(
        f"severa list {name}",
        "list",
        "list",
        lambda client: as_rows(client.list(name, parent=parent)),
        right,
        **made,  # type: ignore[arg-type]
    )
    if not register.needs_parent:
        yield Operation(
            f"severa pages {name}",
            "pages",
            "list",
            lambda client: of_pages(client.pages(name)),
            right,
            **made,  # type: ignore[arg-type]
        )


def severa_pages(paging: str, row: Callable[[str], Json]) -> Case:
    """Token paging in pages of three; row paging in a page of twenty and a shorter one (the last)."""

    def answer(asked: Asked) -> Reply:
        if paging == "token":
            first = (asked.page - 1) * PAGE
            rows = [row(str(n)) for n in range(first, min(first + PAGE, ROWS))]
            more = {"NextPageToken": str(asked.page + 1)} if first + PAGE < ROWS else {}
            return reply(rows, **more)
        if paging == "rows":
            return reply(
                [
                    row(str(n))
                    for n in (range(FIRST_ROWS) if asked.page == 1 else range(FIRST_ROWS, FIRST_ROWS + ROWS))
                ]
            )
        return reply([row(str(n)) for n in range(ROWS)])

    return answer


def _severa_writes(register: SeveraRegister) -> Iterator[Operation]:
    name, row = register.name, _severa_row(register)
    parent = KEY if "{parent}" in (register.create_path or "") else None
    # Files are added by ``upload``.
    if register.create_path and not name.endswith("/files"):
        yield Operation(
            f"severa create {name}",
            "create",
            "made",
            lambda client: client.create(name, {"name": "a"}, parent=parent),
            always(reply(row(KEY), 201)),
            row,
            once=True,
        )
    if register.patches:
        yield Operation(
            f"severa patch {name}",
            "patch",
            "changed",
            lambda client: client.patch(name, KEY, {"/name": f"Näsåker {KEY}"}),
            always(reply([row(KEY)])),
            row,
        )


# ---------------------------------------------------------------- Visma.net ERP


def erp_operations() -> Iterator[Operation]:
    for register in ERP.values():
        yield from _erp_reads(register)
        yield from _erp_writes(register)
    yield Operation(
        "erp download",
        "download",
        "file",
        lambda client: client.download(KEY),
        always(Reply(b"content", 200, {"Content-Type": "application/octet-stream"})),
    )
    organization = _erp_row(ERP["organization"])
    yield Operation(
        "erp check",
        "check",
        "list",
        lambda client: iter([client.check()]),
        always(reply([organization("1")])),
        organization,
        paging="whole",
    )


def _put(row: Json, path: str, value: Any) -> None:
    *owners, last = path.split(".")
    for name in owners:
        row = row.setdefault(name, {})
    row[last] = value


def _erp_row(register: ErpRegister) -> Callable[[str], Json]:
    def row(key: str) -> Json:
        made: Json = {"name": f"Näsåker {key}"}
        for path in register.identity[0] if register.identity else ():
            _put(made, path, key)
        for path in register.shows:
            _put(made, path, "Näsåker")
        if register.number:
            _put(made, register.number, key)
        if register.paging == "lines":
            made["journalTransactionLines"] = [{"lineNumber": 1}]
        if register.typed_item:
            made["documentType"] = "DebitAdj"
        return made

    return row


def _erp_reads(register: ErpRegister) -> Iterator[Operation]:
    name, row = register.name, _erp_row(register)
    if register.is_record:
        for key in [KEY, f"DebitAdj/{KEY}"] if register.typed_item else [KEY]:
            yield Operation(
                f"erp get {name} {key}",
                "get",
                "record",
                lambda client, key=key: client.get(name, key).body,
                always(reply(row(KEY))),
                row,
            )
    if not register.listing:
        return
    right = erp_pages(register, row)
    none = register.paging != "envelope"
    lists: Mapping[str, Callable[[Any], Iterator[Json]]] = {
        "list": lambda client: as_rows(client.list(name)),
        "pages": lambda client: of_pages(client.pages(name)),
    }
    for method, call in lists.items():
        yield Operation(
            f"erp {method} {name}", method, "list", call, right, row, paging=register.paging, none=none
        )


def erp_pages(register: ErpRegister, row: Callable[[str], Json]) -> Case:
    """Pages of three with their count; the whole list where there are no pages."""

    def answer(asked: Asked) -> Reply:
        return reply(erp_page(register, row, asked.page, ROWS))

    return answer


def erp_page(register: ErpRegister, row: Callable[[str], Json], page: int, total: int) -> Any:
    if register.words:
        return [f"WORD{n}" for n in range(ROWS)]
    if register.paging == "whole":
        return [row(str(n)) for n in range(ROWS)]
    numbers = range((page - 1) * PAGE, min(page * PAGE, ROWS))
    if register.paging == "envelope":
        records = [row(str(n)) for n in numbers]
        return {"pageNumber": page, "pageSize": PAGE, "totalCount": total, "records": records}
    count = {"totalCount": total, "maxPageSize": PAGE}
    return [{**row(str(n)), "metadata": count} for n in numbers]


def _erp_writes(register: ErpRegister) -> Iterator[Operation]:
    name, row = register.name, _erp_row(register)
    if register.creating:
        target = f"{name}/812" if "{key}" in register.creating else name
        yield Operation(
            f"erp create {name}",
            "create",
            "made",
            lambda client: client.create(target, {"name": {"value": "a"}}),
            always(Reply(b"", 201, {"Location": f"https://erp.example/v1/{name}/{KEY}"})),
            row,
            nothing=True,
            once=True,
        )
    if register.changing:
        yield Operation(
            f"erp update {name}",
            "update",
            "changed",
            lambda client: client.update(name, KEY, {"name": {"value": f"Näsåker {KEY}"}}),
            always(Reply(b"", 204, {"ETag": '"A"'})),
            row,
            nothing=True,
        )
    if register.removing:
        yield Operation(
            f"erp delete {name}",
            "delete",
            "done",
            lambda client: client.delete(name, KEY),
            always(Reply(b"", 204)),
            nothing=True,
        )
    if register.attaching:
        yield Operation(
            f"erp attach {name}",
            "attach",
            "done",
            lambda client: client.attach(name, KEY, "a.pdf", b"%PDF"),
            always(Reply(b"", 201)),
            nothing=True,
            once=True,
        )
    for action in register.actions:
        yield Operation(
            f"erp act {name} {action}",
            "act",
            "result",
            lambda client, action=action: client.act(name, KEY, action),
            always(reply({"actionId": "x", "actionResult": "Done", "errorInfo": ""})),
            nothing=True,
            once=True,
        )


CLIENTS: Mapping[str, type[SeveraClient | VismaNetClient]] = {"severa": SeveraClient, "erp": VismaNetClient}
