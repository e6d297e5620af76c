"""What Visma.net ERP says when it refuses an invoice, by cause (R-INV-14).

The vendor has no catalogue of error codes: only its texts tell causes apart, so the patterns are tolerant, and a text
that none of them knows is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

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


def refusal(
    said: str, default: str = "invoice.refused", *, lines: Iterable[tuple[str, str]] = (), **more: str
) -> tuple[str, dict[str, str]]:
    """The problem's code and values for a vendor's text; ``default`` for one that is not known.

    ``lines``: item number and row of each line as it was sent. The vendor seldom says which one it means.
    """
    code = next((code for code, pattern in _PATTERNS if pattern.search(said)), default)
    values = {"text": said.strip() or "–", **more}
    if code == "invoice.item_refused":
        values |= _meant(said, list(lines))
    elif code == "invoice.period_closed":
        # The same cause is found before anything is sent, with its period; the ERP does not tell it apart from its text.
        values["period"] = values.get("period") or "–"
    return code, values


def _meant(said: str, lines: list[tuple[str, str]]) -> dict[str, str]:
    """The item and row that a refusal means: the items that it names, else the line that it counts, else all there are."""
    named = [one for one in lines if one[0] and _names(said, one[0])]
    counted = _LINE.search(said)
    if not named and counted is not None and 0 < int(counted[1]) <= len(lines):
        named = [lines[int(counted[1]) - 1]]
    meant = named or lines
    items, rows = dict.fromkeys(item for item, _ in meant), dict.fromkeys(row for _, row in meant)
    return {"item": ", ".join(items) or "–", "row": ", ".join(rows) or "–"}


def _names(said: str, item: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(item)}(?!\w)", said, re.IGNORECASE) is not None
