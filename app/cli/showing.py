"""How commands show things to people: tables, times and lists on a terminal, whole lines anywhere else, and CSV for Excel."""

from __future__ import annotations

import codecs
import csv
import io
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from app.cli.wording import word
from db.tenants import Tenant

# A column whose cells are shorter is never wrapped: a time or a number over two lines is read wrong.
WRAPPED_FROM = 24
# Excel takes a cell that begins so for a formula, and runs it; names come from the vendors, and from whoever typed them.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Screen(Console):
    """Standard output. Where nobody looks on (a file, a pipe) no line is folded: what is cut in two cannot be searched for."""

    def print(self, *objects: Any, **options: Any) -> None:
        """As rich prints, folded at the terminal's width only where there is a terminal."""
        options.setdefault("soft_wrap", not self.is_terminal)
        super().print(*objects, **options)


console = Screen(highlight=False)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a list: the language of its headings, the zone of its times."""

    language: str = "en"
    zone: tzinfo = UTC

    @classmethod
    def of(cls, tenant: Tenant) -> Reader:
        """Those of a tenant."""
        return cls(tenant.language, ZoneInfo(tenant.time_zone))

    def word(self, key: str, **values: str) -> str:
        """A heading or fixed word in the reader's language."""
        return word(key, self.language, **values)

    def when(self, iso: str | datetime | None) -> str:
        """A time in the reader's zone, to the second; '–' for none."""
        if not iso:
            return "–"
        at = datetime.fromisoformat(iso) if isinstance(iso, str) else iso
        return at.astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S")

    @property
    def times_in(self) -> str:
        """What a title says of its times."""
        return self.word("times_in", zone=str(self.zone))

    def table(
        self, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, timed: bool = False
    ) -> None:
        """A table; says so when there is nothing to show. ``columns``: keys of ``wording``; ``timed``: its title names the zone."""
        named = [self.word(column) for column in columns]
        table(f"{title} ({self.times_in})" if timed and rows else title, named, rows, none=self.word("none"))

    def csv(self, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """The same for Excel."""
        print_csv([self.word(column) for column in columns], rows)


ENGLISH = Reader()
"""For lists over several tenants, and for the operator: times in UTC."""


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, none: str = "none") -> None:
    """A table for people; says so when there is nothing to show."""
    if not rows:
        console.print(f"{escape(title)}: {none}.")
        return
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if console.is_terminal:
        _ruled(title, columns, cells)
    else:
        _lines(title, columns, cells)


def _ruled(title: str, columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    shown = Table(header_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        wraps = any(cell_len(row[number]) >= WRAPPED_FROM for row in cells)
        shown.add_column(escape(column), no_wrap=not wraps, overflow="fold", min_width=12 if wraps else None)
    for row in cells:
        shown.add_row(*(escape(cell) for cell in row))
    console.print(escape(title))
    console.print(shown, soft_wrap=False)


def _lines(title: str, columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    """One row, one line, however long: for grep, less and mail."""
    rows = [list(columns), *([" ".join(cell.split()) for cell in row] for row in cells)]
    widths = [max(cell_len(row[number]) for row in rows) for number in range(len(columns))]
    out = [title]
    for row in rows:
        padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
        out.append("  ".join(padded).rstrip())
    for line in out:
        console.print(line, markup=False, soft_wrap=True)


def indented(markup: str, by: int = 3) -> None:
    """A paragraph beneath a heading; on a terminal its further lines stand where the first does."""
    if console.is_terminal:
        console.print(Padding(markup, (0, 0, 0, by)))
    else:
        console.print(" " * by + markup)


def print_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """CSV as Excel of a Swedish finance department opens it by a double click: semicolons, UTF-8 with its mark, CRLF.

    Written as bytes: a terminal's or a pipe's own encoding would make another file of it. What Excel would take for a
    formula has an apostrophe before it.
    """
    text = io.StringIO()
    out = csv.writer(text, delimiter=";", lineterminator="\r\n")
    out.writerow(columns)
    out.writerows([[_cell(cell) for cell in row] for row in rows])
    sys.stdout.flush()
    sys.stdout.buffer.write(codecs.BOM_UTF8 + text.getvalue().encode())
    sys.stdout.buffer.flush()


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value


def pairs(values: Mapping[str, Any]) -> str:
    """``a=1, b=2``."""
    return ", ".join(f"{key}={value}" for key, value in values.items())
