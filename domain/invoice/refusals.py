"""What Visma.net ERP says when it refuses an invoice, by cause (R-INV-14).

The vendor has no catalogue of error codes: only its texts tell causes apart, so the patterns are tolerant, and a text
that none of them knows is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.invoice.document import Draft
from domain.invoice.model import ErpDocument
from domain.mapper import text

# The first pattern that is found wins: the more special causes stand first.
_CAUSES: tuple[tuple[str, str], ...] = (
    ("invoice.vat_mismatch", r"\btax ?id\b|\btax ?category|vat ?(category|code|id|zone)|tax zone|momskod"),
    (
        "invoice.period_closed",
        r"period\b.*\b(closed|inactive|not open|not active|locked|does not exist|stängd)|closed\b.*\bperiod",
    ),
    (
        "invoice.number_series",
        r"number(ing)? (series|sequence)|numbering id|next number|last number|nummerserie",
    ),
    ("invoice.task_refused", r"\b(project )?task\b|projektuppgift|aktivitet"),
    ("invoice.project_refused", r"\bproject\b|projekt"),
    ("invoice.item_refused", r"inventory|\bitem\b|artikel"),
    ("invoice.terms_refused", r"credit ?terms?|\bterms\b|betalningsvillkor"),
    ("invoice.currency_refused", r"currency|exchange rate|curyid|valuta"),
    ("invoice.branch_refused", r"\bbranch\b|företagsgren"),
    ("invoice.customer_refused", r"customer|\bbaccount\b|business account|\bkund"),
)
_PATTERNS = tuple((code, re.compile(pattern, re.IGNORECASE | re.DOTALL)) for code, pattern in _CAUSES)

REFUSAL_CODES = frozenset(code for code, _ in _CAUSES) | {"invoice.refused"}


_LINE = re.compile(r"\b(?:line|row|rad)\b\W{0,3}(?:nbr|no|number|nr)?\W{0,3}(\d+)", re.IGNORECASE)


# What a sentence names beside the vendor's text; the vendor's own text seldom does.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "invoice.period_closed": ("period",),
    "invoice.task_refused": ("project", "task"),
    "invoice.project_refused": ("project",),
    "invoice.terms_refused": ("terms",),
    "invoice.currency_refused": ("currency", "rate"),
    "invoice.branch_refused": ("branch",),
}


@dataclass(frozen=True, slots=True)
class Told:
    """What a refusal may be about: item number and row of each line, and the members of the header by the names that
    sentences have for them."""

    lines: tuple[tuple[str, str], ...] = ()
    header: Mapping[str, str] = field(default_factory=dict)


def told_by(sent: Draft) -> Told:
    """Of a document as it was sent."""
    lines = tuple(
        (str(line["inventoryNumber"]), _row(number, str(line.get("description", ""))))
        for number, line in enumerate(sent.lines, start=1)
    )
    tasks = dict.fromkeys(str(line.get("taskId", "")) for line in sent.lines)
    members = {
        "period": "financialPeriod",
        "project": "project",
        "terms": "creditTermsId",
        "currency": "currencyId",
        "rate": "exchangeRate",
        "branch": "branchNumber",
    }
    header = {name: str(sent.header.get(member, "")) for name, member in members.items()}
    return Told(lines, header | {"task": ", ".join(one for one in tasks if one)})


def told_by_document(document: ErpDocument) -> Told:
    """Of a document as it stands in the ERP."""
    paths = {
        "period": "financialPeriod",
        "project": "project.id",
        "terms": "creditTerms.id",
        "currency": "currencyId",
        "rate": "exchangeRate",
        "branch": "branchNumber.number",
    }
    tasks = dict.fromkeys(line.task for line in document.lines)
    header = {name: text(document.body, path) for name, path in paths.items()}
    lines = tuple((line.inventory, f"{line.number}: {line.description[:60]}") for line in document.lines)
    return Told(lines, header | {"task": ", ".join(one for one in tasks if one)})


def refusal(
    said: str, default: str = "invoice.refused", about: Told | None = None, **more: str
) -> tuple[str, dict[str, Any]]:
    """The problem's code and values for a vendor's text; ``default`` for one that is not known. ``about``: what was sent."""
    code = next((code for code, pattern in _PATTERNS if pattern.search(said)), default)
    told = about or Told()
    values: dict[str, Any] = {name: told.header.get(name, "") for name in _NAMES.get(code, ())}
    values |= {"text": said.strip(), **more}
    if code == "invoice.item_refused":
        values |= _meant(said, list(told.lines))
    return code, values


def _row(number: int, description: str) -> str:
    return f"{number}: {description.split(chr(10), 1)[0][:60]}"


def _meant(said: str, lines: list[tuple[str, str]]) -> dict[str, list[str]]:
    """The item and row that a refusal means: the items that it names, else the line that it counts, else all there are."""
    named = [one for one in lines if one[0] and _names(said, one[0])]
    counted = _LINE.search(said)
    if not named and counted is not None and 0 < int(counted[1]) <= len(lines):
        named = [lines[int(counted[1]) - 1]]
    meant = named or lines
    items, rows = dict.fromkeys(item for item, _ in meant), dict.fromkeys(row for _, row in meant)
    return {"item": [one for one in items if one], "row": list(rows)}


def _names(said: str, item: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(item)}(?!\w)", said, re.IGNORECASE) is not None
