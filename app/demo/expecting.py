"""What beats wait for: sentences that become true, read from what both systems show."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from app.demo.proof import Proof
from app.demo.stage import Stage
from app.demo.watch import Expect, Facts
from domain import catalogue


def joined(words: Iterable[str]) -> str:
    """a, b and c."""
    found = list(words)
    return " and ".join([", ".join(found[:-1]), found[-1]]) if len(found) > 1 else "".join(found)


def plain(value: Decimal) -> str:
    """Two decimals, groups of three: 12 345.60."""
    return f"{value:,.2f}".replace(",", " ")


def amount(value: Decimal, currency: str) -> str:
    """The same with its currency: 12 345.60 SEK."""
    return f"{plain(value)} {currency}"


def kept(stage: Stage, facts: Facts, word: str) -> Proof | None:
    """The proof of an invoice that an act has remembered."""
    return facts.by_guid.get(stage.kept.get(word, ""))


def booked(*words: str) -> Expect:
    """These invoices are in both systems, proven, with number and payment reference back."""

    def told(stage: Stage, facts: Facts) -> str | None:
        found = [kept(stage, facts, word) for word in words]
        if not all(proof is not None and proof.proven for proof in found):
            return None
        shown = [f"{p.erp_number} ({amount(p.severa_total, p.currency)})" for p in found if p]
        return f"Booked to the cent as {joined(shown)}; number and payment reference stand in Severa."

    return Expect("booked to the cent, numbered in both systems", told)


def standing(role: str, sentence: Callable[[Proof], str], *words: str) -> Expect:
    """These invoices stand in a Severa status of that role."""

    def told(stage: Stage, facts: Facts) -> str | None:
        found = [kept(stage, facts, word) for word in words]
        if not all(proof is not None and proof.role == role for proof in found):
            return None
        return joined(sentence(proof) for proof in found if proof) + "."

    return Expect(f"{', '.join(words)} in the Severa status '{role}'", told)


def logged(code: str, wanted: str) -> Expect:
    """The transfer log has a line of that code; its sentence is told as it stands, in the tenant's language."""

    def told(_stage: Stage, facts: Facts) -> str | None:
        lines = facts.said(code)
        return f"Log: “{lines[0]['sentence']}”" if lines else None

    return Expect(wanted, told)


def when(wanted: str, test: Callable[[Stage, Facts], bool], sentence: str) -> Expect:
    """Any other truth."""
    return Expect(wanted, lambda stage, facts: sentence if test(stage, facts) else None)


def problem_of(word: str, code: str) -> Expect:
    """An open problem of that cause on a remembered record, told as the tenant sees it and in English."""

    def told(stage: Stage, facts: Facts) -> str | None:
        problem = facts.problem_of(stage.kept.get(word, ""))
        if problem is None or problem["code"] != code:
            return None
        cause = catalogue.causes()[code]
        english = [text.fill("en", problem["values"]) for text in (cause.wrong, cause.do)]
        return (
            f"Open problem, in the tenant's language: {problem['wrong']} {problem['do']}\n"
            f"In English: {' '.join(english)}"
        )

    return Expect(f"a problem {code} that explains itself", told)


def closed(word: str) -> Expect:
    """The problem of a remembered record is gone."""
    return when(
        "the problem closed by itself",
        lambda stage, facts: facts.problem_of(stage.kept.get(word, "")) is None,
        "The problem has closed by itself.",
    )
