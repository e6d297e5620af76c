"""What was changed on purpose since 0.1.0, one row each: why, where it may show, and at how many inputs it does.

The differences themselves stand in ``declared.json.gz`` (kind, input, path, what is said now), written by
``python -m golden.declaring``; a row holds them to what it names. A difference that fits no row, a row with another count, and
one whose differences are gone fail `tests/unit/domain/test_golden.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Change:
    """``paths``: patterns of ``<kind>/<path in the answer>``. ``mood``: only inputs drawn in this mood (golden.shapes.Draw)."""

    name: str
    why: str
    inputs: int
    paths: tuple[str, ...]
    mood: str | None = None

    def covers(self, kind: str, path: str, mood: str) -> bool:
        """Whether a difference may be this change's."""
        where = f"{kind}/{path}"
        return self.mood in (None, mood) and any(fnmatchcase(where, pattern) for pattern in self.paths)


# A difference belongs to the first row that covers it; the rows of a mood come last, because a control character or a double's
# noise shows everywhere.
CHANGES: tuple[Change, ...] = (
    Change(
        "classes both ways",
        "R-CUS-6, R-PRD-4: a class changed in the ERP becomes the choice, and one that a body does not show is not known",
        201,
        (
            "product/*item_class*",
            "customer/*customer_class*",
            "product/*/erp row/hash",
            "customer/*/erp row/hash",
        ),
    ),
    Change(
        "codes without case",
        "df98f8d: the ERP's keys do not tell case apart (R-PRD-2), so that A1 and a1 are one task",
        17,
        (
            "project/*/put/tasks*",
            "project/*/fields/task",
        ),
    ),
    Change(
        "VAT numbers with their letters",
        "df98f8d: DK12345678 and FI12345678 are two customers (R-SET-4)",
        227,
        (
            "customer/*/vat_number*",
            "customer/*/put/vatRegistrationId*",
            "customer/*/patch//vatNumber",
            "form/vat",
            "form/same organisation",
        ),
    ),
    Change(
        "credit terms by one table",
        "08a44c4: an empty due date type is not fixed, Simple is one instalment; one table for customers and invoices",
        84,
        (
            "customer/*/payment_term*",
            "customer/*/put/creditTermsId*",
            "customer/*/patch//paymentTerm",
            "customer/*/new/paymentTerm",
            "customer/*/not sent/0*",
            "invoice/terms",
        ),
    ),
    Change(
        "names composed after folding",
        "df98f8d: folding case takes some letters apart, and stored keys are looked up by (docs/never-twice.md rule 2a)",
        2,
        ("form/name",),
    ),
    Change(
        "amounts as they were meant",
        "4c17587: one sign for a document, its lines and its VAT, one precision, lines by money (R-INV-4, R-INV-7)",
        127,
        (
            "invoice/shown/*",
            "invoice/proof/*",
            "invoice/suspect",
            "form/money",
            "payment/row/*",
            "payment/payment rows/*/values/lines",
            "payment/payment rows/*/hash",
            "payment/money",
        ),
        mood="",
    ),
    Change(
        "the marker first in a long text",
        "461b7a7: a fee whose marker was cut off would be brought again (R-CST-2)",
        39,
        ("cost/lines/*/fee/sent/description", "cost/lines/*/fee/taken back/description"),
    ),
    Change(
        "x is the non-project code",
        "df98f8d: codes without case; a line of project x is no cost (R-CST-1)",
        65,
        ("cost/lines/[0-9]", "cost/lines/p[0-9]", "cost/row/concerns*"),
        mood="",
    ),
    Change(
        "payments that were taken back",
        "b68244d: what was taken back neither counts nor gives its date; status and date are one agreement (R-PAY-1, R-PAY-2)",
        101,
        ("payment/settled/*", "payment/moved/*", "payment/moved without a day/*"),
    ),
    Change(
        "word lists declared in one way",
        "a word list is read whole, and nobody asks when a row of it changed; what has no code is called by its key, not ''",
        17,
        ("reference/time", "reference/known as/1"),
    ),
    Change(
        "control characters",
        "f9cd1bd: text is cleaned at one border, for what is stored, looked up, compared and sent",
        43,
        ("*",),
        mood="control",
    ),
    Change(
        "a double's noise",
        "4c17587, 1714ab7: 33.300000000000004 was meant as 33.3",
        40,
        ("*",),
        mood="noise",
    ),
)
