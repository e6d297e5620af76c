"""Lists: the two paging styles, changedSince and the filters."""

from __future__ import annotations

import base64
import binascii
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from starlette.responses import Response

from simulators.severa.call import Call, answer
from simulators.severa.errors import bad_query
from simulators.severa.organisation import Organisation, stamp
from simulators.severa.registers import Record
from simulators.severa.rendering import render

Paging = Literal["token", "row", "row_all", "none"]
"""token: NextPageToken; row: firstRow and rowCount, 20 rows by default; row_all: the same, all by default."""

Test = Callable[[Organisation, Record], bool]


@dataclass(frozen=True)
class Filter:
    """One query parameter: how it is read (`kind`) and the data field it looks at.

    Kinds: bool; text (exact, case kept); in (repeated, exact); numbers (repeated); nocase (repeated, without case);
    from, to (dates); least, most (amounts through `special`); any other name is looked up in `SPECIAL`.
    """

    kind: str
    name: str = ""


def listed(
    call: Call,
    register: str,
    paging: Paging,
    filters: dict[str, Filter],
    candidates: Iterable[Record] | None = None,
) -> Response:
    """Answer a list. Unknown query parameters are ignored. Raises `SeveraError` 400 on a value that cannot be read."""
    org = call.org
    records: Iterable[Record] = org.register(register) if candidates is None else candidates
    since = moment(call, "changedSince") if "changedSince" in filters else None
    if since is not None:
        records = _changed(call, register, since, records if candidates is not None else None)
    tests = [test for name, one in filters.items() if (test := _test(call, name, one)) is not None]
    chosen: Iterator[Record] = (record for record in records if all(test(org, record) for test in tests))
    if paging in ("row", "row_all"):
        chosen = _sorted(call, chosen)
    page, headers = _page(call, chosen, paging)
    return answer([render(org, register, record) for record in page], headers=headers)


def _page(call: Call, records: Iterator[Record], paging: Paging) -> tuple[list[Record], dict[str, str]]:
    if paging == "none":
        return list(records), {}
    rows = _row_count(call, None if paging == "row_all" else 20)
    if paging != "token":
        first = _whole(call, "firstRow", 0) or 0
        return list(itertools.islice(records, first, None if rows is None else first + rows)), {}
    after = _after(call.query.get("pageToken"))
    wanted = rows or 0
    page = list(itertools.islice((record for record in records if record.seq > after), wanted + 1))
    if len(page) <= wanted:
        return page, {}
    page.pop()
    token = base64.urlsafe_b64encode(f"p{page[-1].seq}".encode()).decode()
    return page, {"NextPageToken": token}


def _row_count(call: Call, default: int | None) -> int | None:
    maximum: int = call.org.switch("maximum_rows")
    rows = _whole(call, "rowCount", default)
    if rows is None:
        return None
    if rows < 1:
        raise bad_query("rowCount", "rowCount must be at least 1.")
    if rows > maximum and call.org.switch("refuse_large_row_count"):
        raise bad_query("rowCount", f"rowCount must be at most {maximum}.")
    return min(rows, maximum)


def _whole(call: Call, name: str, default: int | None) -> int | None:
    sent = call.query.get(name)
    if sent is None or sent == "":
        return default
    if not sent.isdigit():
        raise bad_query(name, f"{name} must be a whole number.")
    return int(sent)


def _after(token: str | None) -> int:
    if not token:
        return 0
    try:
        text = base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, ValueError):
        text = ""
    if not text.startswith("p") or not text[1:].isdigit():
        raise bad_query("pageToken", "The page token is not valid.")
    return int(text[1:])


def moment(call: Call, name: str) -> datetime | None:
    """Read a date-time of the query; one without zone counts as UTC. Raises `SeveraError` 400."""
    sent = call.query.get(name)
    if not sent:
        return None
    try:
        # A "+" that was not percent-encoded arrives as a blank: refused like any other broken time.
        when = datetime.fromisoformat(sent)
    except ValueError:
        raise bad_query(name, f"{name} must be a date and time.") from None
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)


def _changed(
    call: Call, register: str, since: datetime, candidates: Iterable[Record] | None
) -> Iterable[Record]:
    if candidates is not None:
        return [record for record in candidates if record.changed >= since]
    found = call.org.register(register).since(since)
    options = {option.lower() for option in call.query.getlist("changedSinceOptions")}
    if register != "customers" or not options:
        return found
    if "newonly" in options:
        return [record for record in found if record.created >= since]
    also: set[str] = set()
    for option, linked in (("addresses", "addresses"), ("contacts", "contactpersons")):
        if option in options:
            also.update(one.data["customer"] for one in call.org.register(linked).since(since))
    known = {record.guid: record for record in found}
    for guid in also:
        customer = call.org.record("customers", guid)
        if customer is not None:
            known[guid] = customer
    return sorted(known.values(), key=lambda record: record.seq)


def _sorted(call: Call, records: Iterator[Record]) -> Iterator[Record]:
    key = call.query.get("sortings[0].key") or call.query.get("sortings[0][key]")
    if not key:
        return records
    order = call.query.get("sortings[0].value") or call.query.get("sortings[0][value]") or "Asc"
    named = key[0].lower() + key[1:]

    def place(record: Record) -> tuple[bool, Any]:
        value = record.data.get(named)
        return value is None, value if isinstance(value, int | str | Decimal) else ""

    return iter(sorted(records, key=place, reverse=order.lower() == "desc"))


def _test(call: Call, name: str, one: Filter) -> Test | None:
    sent = call.query.getlist(name)
    if name == "changedSince" or not [value for value in sent if value != ""]:
        return None
    field, kind = one.name, one.kind
    match kind:
        case "bool":
            wanted = _boolean(name, sent[0])
            return lambda _org, record: bool(record.data[field]) == wanted
        case "text":
            return lambda _org, record: record.data[field] == sent[0]
        case "in":
            return _in(field, set(sent))
        case "numbers":
            return _in(field, {_number(name, value) for value in sent})
        case "nocase":
            lower = {value.lower() for value in sent}
            return lambda _org, record: str(record.data[field] or "").lower() in lower
        case "from":
            start = _day(call, name)
            return lambda _org, record: record.data[field] is not None and record.data[field] >= start
        case "to":
            end = _day(call, name)
            return lambda _org, record: record.data[field] is not None and record.data[field] <= end
        case "search":
            fields = field.split(",")
            text = sent[0].lower()
            return lambda _org, record: any(text in str(record.data[each] or "").lower() for each in fields)
        case _:
            return SPECIAL[kind](call, name, sent)


def _in(field: str, wanted: set[Any]) -> Test:
    def test(_org: Organisation, record: Record) -> bool:
        value = record.data[field]
        return not wanted.isdisjoint(value) if isinstance(value, list) else value in wanted

    return test


def _boolean(name: str, value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise bad_query(name, f"{name} must be true or false.")
    return value.lower() == "true"


def _number(name: str, value: str) -> int:
    if not value.lstrip("-").isdigit():
        raise bad_query(name, f"{name} must be whole numbers.")
    return int(value)


def _amount(name: str, value: str) -> Decimal:
    try:
        return Decimal(value)
    except InvalidOperation:
        raise bad_query(name, f"{name} must be a number.") from None


def _day(call: Call, name: str) -> str:
    when = moment(call, name)
    return (when.date() if when is not None else date.min).isoformat()


# --- Filters that look further than one field -----------------------------------------------------------------------


def _sales_state(_call: Call, _name: str, sent: list[str]) -> Test:
    return lambda _org, record: str(record.data["salesState"]).lower() == sent[0].lower()


def _billed(_call: Call, name: str, sent: list[str]) -> Test:
    wanted = _boolean(name, sent[0])
    return lambda _org, record: (record.data["invoice"] is not None) == wanted


def _project_field(name_of: str) -> Callable[[Call, str, list[str]], Test]:
    def special(_call: Call, _name: str, sent: list[str]) -> Test:
        def test(org: Organisation, record: Record) -> bool:
            for guid in record.data["projects"]:
                project = org.record("projects", guid)
                if project is not None and project.data[name_of] in sent:
                    return True
            return False

        return test

    return special


def _total(*, least: bool) -> Callable[[Call, str, list[str]], Test]:
    def special(_call: Call, name: str, sent: list[str]) -> Test:
        bound = _amount(name, sent[0])

        def test(org: Organisation, record: Record) -> bool:
            amount: Decimal = render(org, "invoices", record)["totalExcludingTax"]["amount"]
            return amount >= bound if least else amount <= bound

        return test

    return special


def _bank_unit(_call: Call, _name: str, sent: list[str]) -> Test:
    return lambda _org, record: record.data["businessUnit"] in sent


def _unit_company(_call: Call, _name: str, sent: list[str]) -> Test:
    return lambda org, record: render(org, "businessunits", record)["companyGuid"] in sent


def _country(_call: Call, _name: str, sent: list[str]) -> Test:
    return lambda _org, record: record.data["countryGuid"] in sent


def _deleted_since(call: Call, name: str, _sent: list[str]) -> Test:
    since = moment(call, name)
    return lambda _org, record: since is None or record.created >= since


def _deleted_project(_call: Call, _name: str, sent: list[str]) -> Test:
    return lambda _org, record: (record.data["project"] or {}).get("guid") in sent


def _guids(_call: Call, _name: str, sent: list[str]) -> Test:
    return lambda _org, record: record.guid in sent


def _status_changed(field: str) -> Callable[[Call, str, list[str]], Test]:
    def special(call: Call, name: str, _sent: list[str]) -> Test:
        since = moment(call, name) or datetime.min.replace(tzinfo=UTC)
        text = stamp(since)

        def test(org: Organisation, record: Record) -> bool:
            entries = org.history.get(record.guid, ())
            return record.created >= since or any(
                entry["field"] == field and entry["time"] >= text for entry in entries
            )

        return test

    return special


SPECIAL: dict[str, Callable[[Call, str, list[str]], Test]] = {
    "sales_state": _sales_state,
    "billed": _billed,
    "project_owner": _project_field("projectOwner"),
    "project_unit": _project_field("businessUnit"),
    "least_total": _total(least=True),
    "most_total": _total(least=False),
    "bank_unit": _bank_unit,
    "unit_company": _unit_company,
    "country": _country,
    "deleted_since": _deleted_since,
    "deleted_project": _deleted_project,
    "guids": _guids,
    "sales_status_changed": _status_changed("salesStatusType"),
    "project_status_changed": _status_changed("projectStatusType"),
}
