"""The day on a terminal: narration, a live table of the invoices, and the summary; plain lines where there is no terminal."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from app.demo.expecting import plain
from app.demo.proof import BOOKED, ZERO, Proof
from app.demo.watch import Facts, Met

WIDTH = 100
_ROLES = {"partly_paid": "partly paid"}


class Screen:
    """Where the story is told. Not for several threads."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or _console()
        self._shown: dict[str, tuple[str, ...]] = {}

    def act(self, number: int, title: str) -> None:
        """The heading of an act."""
        self.console.print()
        heading = f"{number}. {title} "
        self.console.print(f"[bold]{escape(heading)}[/bold][dim]{'─' * (self._width - len(heading))}[/dim]")

    def narrate(self, text: str) -> None:
        """What happens now."""
        self._print(text)

    def note(self, text: str) -> None:
        """A remark beneath it."""
        self._print(text, style="dim", first="  ", rest="    ")

    def command(self, text: str) -> None:
        """A line to be copied: never folded."""
        self.console.print(f"  [cyan]{escape(text)}[/cyan]", soft_wrap=True)

    @property
    def _width(self) -> int:
        return min(self.console.width, WIDTH)

    def _print(self, text: str, *, style: str = "", first: str = "", rest: str = "", mark: str = "") -> None:
        """Folded text; ``mark`` is markup in front of its first line, as wide as ``first``."""
        for paragraph in text.split("\n"):
            for line in textwrap.wrap(
                paragraph, self._width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False
            ) or [""]:
                shown = f"{mark}{escape(line[len(first) :])}" if mark else escape(line)
                self.console.print(f"[{style}]{shown}[/{style}]" if style else shown, soft_wrap=True)
                mark = ""
            first = rest

    @contextmanager
    def following(self) -> Iterator[Callable[[Facts], None]]:
        """While the bridge works: a table that changes in place, or a line per change."""
        if not self.console.is_terminal:
            yield self._lines
            return
        with Live(console=self.console, transient=True, refresh_per_second=8) as live:

            def show(facts: Facts) -> None:
                if facts.proofs:
                    live.update(_table(facts, facts.proofs))

            yield show

    def came_of_it(self, facts: Facts, met: Sequence[Met]) -> None:
        """The invoices that changed in this beat, then what was expected."""
        if self.console.is_terminal:
            changed = [p for p in facts.proofs if self._shown.get(p.guid) != _cells(facts, p)]
            if changed:
                self.console.print(_table(facts, changed))
            self._shown = {p.guid: _cells(facts, p) for p in facts.proofs}
        for one in met:
            if one.sentence is None:
                self._print(f"not: {one.wanted}", first="  ", rest="  ", mark="[red]✗[/red] ")
            else:
                self._print(one.sentence, first="  ", rest="  ", mark="[green]✓[/green] ")

    def _lines(self, facts: Facts) -> None:
        for proof in facts.proofs:
            cells = _cells(facts, proof)
            if self._shown.get(proof.guid) != cells:
                self._shown[proof.guid] = cells
                name, severa, erp, currency, number, role, status, outcome = cells
                booked = f"ERP {number} {erp} {status}" if number else "not in the ERP"
                self.console.print(
                    escape(f"  {name}: Severa {severa} {currency} {role} | {booked} | {outcome}"),
                    soft_wrap=True,
                )

    def summary(
        self,
        facts: Facts,
        gaps: Sequence[Mapping[str, Any]],
        wrong: Sequence[str],
        seconds: float,
    ) -> None:
        """Every invoice with both totals, number, statuses and outcome; gaps, open problems, and the verdict."""
        self.console.print()
        heading = "The day in one table "
        self.console.print(f"[bold]{heading}[/bold][dim]{'─' * (self._width - len(heading))}[/dim]")
        self.console.print(_table(facts, facts.proofs, proven=True))
        removed = ", ".join(f"{gap['document_type']} {gap['number']} ({gap['reason']})" for gap in gaps)
        self._print(f"Removed numbers: {removed or 'none, the numbering has no gap'}.")
        for problem in facts.problems:
            called = " ".join(part for part in (problem["number"], problem["name"]) if part)
            self._print(f"Open problem: {problem['domain']} {called}: {problem['wrong']}", rest="  ")
        if not facts.problems:
            self._print("Open problems: none.")
        proven = sum(proof.proven for proof in facts.proofs)
        verdict = f"{proven} of {len(facts.proofs)} invoices proven in {seconds:.0f} s"
        if not wrong:
            self._print(
                f"{verdict}: totals equal, one number on both sides, one released document each.",
                style="bold green",
            )
            return
        self._print(f"{verdict}. Not proven:", style="bold red")
        for sentence in wrong:
            self._print(sentence, first="  ", rest="  ", mark="[red]✗[/red] ")


def _console() -> Console:
    # Without a terminal rich would fold at 80 columns.
    if sys.stdout.isatty():
        console = Console(highlight=False)
        return console if console.width <= WIDTH else Console(highlight=False, width=WIDTH)
    return Console(highlight=False, width=WIDTH)


def _table(facts: Facts, proofs: Sequence[Proof], *, proven: bool = False) -> Table:
    table = Table(header_style="bold", pad_edge=False, box=None, padding=(0, 1, 0, 0), expand=False)
    table.add_column("invoice to", max_width=26, no_wrap=True, overflow="ellipsis")
    table.add_column("Severa total", justify="right", no_wrap=True)
    table.add_column("ERP total", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("number", no_wrap=True)
    table.add_column("Severa", no_wrap=True)
    table.add_column("ERP", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    for proof in proofs:
        *cells, outcome = _cells(facts, proof)
        if proven:
            outcome = "proven" if proof.proven else "NOT PROVEN"
        style = "green" if proof.proven else "red" if proven or proof.role == "failed" else "yellow"
        table.add_row(*(escape(cell) for cell in cells), f"[{style}]{escape(outcome)}[/{style}]")
    return table


def _cells(facts: Facts, proof: Proof) -> tuple[str, ...]:
    """Customer, Severa total, ERP total, currency, number, Severa status, ERP status, outcome."""
    return (
        f"Credit {proof.customer}" if proof.credit_note else proof.customer,
        plain(proof.severa_total),
        "" if proof.erp_total is None else plain(proof.erp_total),
        proof.currency,
        proof.erp_number,
        _ROLES.get(proof.role, proof.role),
        proof.erp_status,
        _outcome(facts, proof),
    )


def _outcome(facts: Facts, proof: Proof) -> str:
    """What stands behind both statuses, in a few words."""
    if proof.role == "failed":
        return "a person must act"
    if proof.role not in BOOKED:
        if proof.erp_status:
            return "released" if proof.erp_status in ("Open", "Closed") else "held until proven"
        waits = [row for row in facts.work.get(proof.guid, ()) if row["state"] == "waiting"]
        return f"waits for {waits[0]['waits_for']}" if waits else "to be booked"
    if proof.role == "transferred":
        paid = proof.open_balance is not None and proof.open_balance < abs(proof.erp_total or ZERO)
        return "paid, but not sent" if paid else "booked"
    if proof.role == "partly_paid" and proof.open_balance is not None:
        return f"{plain(proof.open_balance)} left"
    return f"paid {proof.payment_date}" if proof.role == "paid" else "booked"
