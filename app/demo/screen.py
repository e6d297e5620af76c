"""The day on a terminal: narration, a live table of the invoices, and the summary; plain lines where there is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table

from app.demo.expecting import amount
from app.demo.proof import BOOKED, Proof
from app.demo.watch import Facts, Met

WIDTH = 100
_ROLES = {"partly_paid": "partly paid"}


class Screen:
    """Where the story is told. Not for several threads."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or _console()
        self._shown: dict[str, tuple[str, ...]] = {}

    def act(self, number: int, title: str) -> None:
        self.console.print()
        self.console.print(Rule(f"[bold]{number}. {escape(title)}[/bold]", align="left", style="dim"))

    def narrate(self, text: str) -> None:
        self.console.print(escape(text))

    def note(self, text: str, *, style: str = "dim") -> None:
        self.console.print(Padding(f"[{style}]{escape(text)}[/{style}]", (0, 0, 0, 2)))

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
            mark, text = (
                ("[green]✓[/green]", one.sentence) if one.sentence else ("[red]✗[/red]", f"not: {one.wanted}")
            )
            line = Table.grid(padding=(0, 1))
            line.add_row(f" {mark}", escape(text))
            self.console.print(line)

    def _lines(self, facts: Facts) -> None:
        for proof in facts.proofs:
            cells = _cells(facts, proof)
            if self._shown.get(proof.guid) != cells:
                self._shown[proof.guid] = cells
                name, severa, erp, number, role, status, outcome = cells
                self.console.print(
                    escape(
                        f"  {name}: Severa {severa} {role} | ERP {erp or '–'} {number} {status} | {outcome}"
                    ),
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
        self.console.print(Rule("[bold]The day in one table[/bold]", align="left", style="dim"))
        self.console.print(_table(facts, facts.proofs, proven=True))
        removed = ", ".join(f"{gap['document_type']} {gap['number']} ({gap['reason']})" for gap in gaps)
        self.console.print(f"Removed numbers: {escape(removed) or 'none; the numbering has no gap'}.")
        if not facts.problems:
            self.console.print("Open problems: none.")
        for problem in facts.problems:
            called = " ".join(part for part in (problem["number"], problem["name"]) if part)
            self.console.print(
                f"Open problem: {problem['domain']} {escape(called)}: {escape(problem['wrong'])}"
            )
        proven = sum(proof.proven for proof in facts.proofs)
        verdict = f"{proven} of {len(facts.proofs)} invoices proven in {seconds:.0f} s"
        if not wrong:
            self.console.print(
                f"[bold green]{verdict}: totals equal, one number on both sides, one released document each.[/bold green]"
            )
            return
        self.console.print(f"[bold red]{verdict}. Not proven:[/bold red]")
        for sentence in wrong:
            self.console.print(f"  [red]✗[/red] {escape(sentence)}")


def _console() -> Console:
    # Without a terminal rich would fold at 80 columns.
    if sys.stdout.isatty():
        console = Console(highlight=False)
        return console if console.width <= WIDTH else Console(highlight=False, width=WIDTH)
    return Console(highlight=False, width=WIDTH)


def _table(facts: Facts, proofs: Sequence[Proof], *, proven: bool = False) -> Table:
    table = Table(header_style="bold", pad_edge=False, box=None, padding=(0, 2, 0, 0), expand=False)
    table.add_column("invoice to", max_width=26, no_wrap=True, overflow="ellipsis")
    table.add_column("Severa total", justify="right", no_wrap=True)
    table.add_column("ERP total", justify="right", no_wrap=True)
    table.add_column("number", no_wrap=True)
    table.add_column("Severa", no_wrap=True)
    table.add_column("ERP", no_wrap=True)
    table.add_column("outcome", overflow="fold")
    for proof in proofs:
        *cells, outcome = _cells(facts, proof)
        if proven:
            outcome = "proven" if proof.proven else f"NOT PROVEN: {'; '.join(proof.wrong)}"
        style = "green" if proof.proven else "red" if proven or proof.role == "failed" else "yellow"
        table.add_row(*(escape(cell) for cell in cells), f"[{style}]{escape(outcome)}[/{style}]")
    return table


def _cells(facts: Facts, proof: Proof) -> tuple[str, ...]:
    """Customer, Severa total, ERP total, number, Severa status, ERP status, outcome."""
    name = f"{proof.customer} (credit)" if proof.credit_note else proof.customer
    return (
        name,
        amount(proof.severa_total, proof.currency),
        "" if proof.erp_total is None else amount(proof.erp_total, proof.currency),
        proof.erp_number,
        _ROLES.get(proof.role, proof.role),
        proof.erp_status,
        _outcome(facts, proof),
    )


def _outcome(facts: Facts, proof: Proof) -> str:
    if proof.role == "failed":
        return "stopped: a person must act"
    if proof.role == "draft":
        return "draft"
    if proof.role not in BOOKED:
        if proof.erp_status:
            return "released" if proof.erp_status in ("Open", "Closed") else "held until proven"
        waits = [row for row in facts.work.get(proof.guid, ()) if row["state"] == "waiting"]
        if waits:
            return f"waits for its {str(waits[0]['waits_for']).split(':')[0]}"
        return "a problem is open" if facts.problem_of(proof.guid) else "seen"
    if proof.role == "transferred":
        paid = proof.open_balance is not None and abs(proof.erp_total or 0) > proof.open_balance
        return "payment waits for sending" if paid else "booked"
    if proof.role == "partly_paid" and proof.open_balance is not None:
        return f"{amount(proof.open_balance, '')}left".replace("  ", " ")
    if proof.role == "paid":
        return f"paid {proof.payment_date or ''}".strip()
    return "sent"
