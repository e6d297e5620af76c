"""What Visma.net ERP says when it refuses an invoice, by cause (R-INV-14).

The vendor has no catalogue of error codes: only its texts tell causes apart, so the patterns are tolerant, and a text
that none of them knows is shown as it is.
"""

from __future__ import annotations

import re

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


def refusal(said: str, default: str = "invoice.refused", **more: str) -> tuple[str, dict[str, str]]:
    """The problem's code and values for a vendor's text; ``default`` for one that is not known."""
    code = next((code for code, pattern in _PATTERNS if pattern.search(said)), default)
    # The cause of a closed period is also found before anything is sent: its sentence names period and date.
    return code, {"text": said.strip() or "–", **more}
