"""The proof of the day: both systems compared, without a look into the bridge's own database (R-INV-4, R-INV-13).

Proven is an invoice whose totals agree within the tolerance, whose number stands on both sides, and for which exactly one
document was ever released. Pure functions over what both systems show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

Json = dict[str, Any]

ZERO = Decimal(0)
TOLERANCE = Decimal("0.05")
MARKER = "severa:"
"""First line of an ERP document's note, before the guid of its Severa invoice (the mapping's contract)."""
BOOKED = ("transferred", "sent", "partly_paid", "paid")
"""Roles of the Severa statuses in which an invoice is in the books, in their order."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One Severa invoice beside its ERP document. Amounts in invoice currency, credit notes negative on both sides.

    ``wrong``: what does not agree, as sentences' ends; empty when proven.
    """

    guid: str
    customer: str
    credit_note: bool
    currency: str
    role: str
    number: int | None
    severa_total: Decimal
    payment_date: str | None
    erp_total: Decimal | None = None
    erp_number: str = ""
    erp_status: str = ""
    open_balance: Decimal | None = None
    wrong: tuple[str, ...] = ()

    @property
    def proven(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.wrong


def money(value: Any) -> Decimal:
    """A JSON number as Decimal."""
    return value if isinstance(value, Decimal) else Decimal(str(value or 0))


def prove(
    invoices: Iterable[Json],
    documents: Iterable[Json],
    marked: Mapping[str, Json],
    sent_by_erp: Iterable[Json],
    role_of: Callable[[Json], str],
) -> list[Proof]:
    """A proof for each Severa invoice, in the order given.

    ``documents``: the ERP's invoices and credit notes. ``marked``: per marker {documents: [{type, number}], releases}.
    ``role_of`` names the role of an invoice's status.
    """
    by_key = {(one["documentType"], one["referenceNumber"]): one for one in documents}
    sent = {(one["type"], one["number"]) for one in sent_by_erp}
    return [
        _one(invoice, role_of(invoice), marked.get(f"{MARKER}{invoice['guid']}"), by_key, sent)
        for invoice in invoices
    ]


def strangers(invoices: Iterable[Json], marked: Mapping[str, Json]) -> list[str]:
    """Numbers of ERP documents that carry the marker of an invoice that Severa does not have."""
    known = {f"{MARKER}{invoice['guid']}" for invoice in invoices}
    return [
        document["number"]
        for mark, entry in marked.items()
        if mark.startswith(MARKER) and mark not in known
        for document in entry["documents"]
    ]


def _one(
    invoice: Json,
    role: str,
    mark: Json | None,
    documents: Mapping[tuple[str, str], Json],
    sent: set[tuple[str, str]],
) -> Proof:
    total = money(invoice["totalIncludingTax"]["amount"])
    plain = Proof(
        guid=invoice["guid"],
        customer=invoice["customer"]["name"],
        credit_note=bool(invoice["isCreditNote"]),
        currency=invoice["currency"]["code"],
        role=role,
        number=invoice["number"],
        severa_total=total,
        payment_date=invoice["paymentDate"],
    )
    # The marks and the documents are two reads: one made or removed in between is looked at the next time.
    keys = [(one["type"], one["number"]) for one in (mark or {"documents": []})["documents"]]
    found = [documents[key] for key in keys if key in documents]
    if len(found) != 1:
        return replace(plain, wrong=(f"has {len(found)} documents in the ERP, not one",))
    document = found[0]
    sign = -1 if document["documentType"] == "CreditNote" else 1
    shown = replace(
        plain,
        erp_total=money(document["amountInCurrency"]) * sign,
        erp_number=document["referenceNumber"],
        erp_status=document["status"],
        open_balance=money(document["balanceInCurrency"]),
    )
    vat = money(invoice["totalTax"]["amount"]), money(document["vatTotalInCurrency"]) * sign
    references = invoice["referenceNumber"], document["paymentReference"]
    releases = mark["releases"] if mark else 1
    was_sent = (document["documentType"], document["referenceNumber"]) in sent
    return replace(
        shown,
        wrong=(
            *_wrong_standing(shown, document["currencyId"], releases, sent=was_sent),
            *_wrong_figures(shown, vat, references),
        ),
    )


def _wrong_standing(shown: Proof, currency: str, releases: int, *, sent: bool) -> Iterator[str]:
    if shown.role not in BOOKED:
        yield f"stands in '{shown.role}' in Severa"
    if shown.erp_status not in ("Open", "Closed"):
        yield f"its document is {shown.erp_status}, not released"
    if releases != 1:
        yield f"was released {releases} times"
    if currency != shown.currency:
        yield f"is in {shown.currency}, its document in {currency}"
    if sent:
        yield "was sent to the customer by the ERP"


def _wrong_figures(
    shown: Proof, vat: tuple[Decimal, Decimal], references: tuple[str | None, str | None]
) -> Iterator[str]:
    total, balance = shown.erp_total or Decimal(0), shown.open_balance or Decimal(0)
    if abs(shown.severa_total - total) > TOLERANCE:
        yield f"is {shown.severa_total} in Severa, {total} in the ERP"
    if abs(vat[0] - vat[1]) > TOLERANCE:
        yield f"has VAT {vat[0]} in Severa, {vat[1]} in the ERP"
    if str(shown.number) != shown.erp_number:
        yield f"has number {shown.number} in Severa, {shown.erp_number} in the ERP"
    if references[1] and references[0] != references[1]:
        yield f"has payment reference {references[0]}, the ERP {references[1]}"
    if not _paid_alike(shown.role, balance, abs(total)):
        yield f"stands in '{shown.role}', but {balance} of {abs(total)} is open in the ERP"


def _paid_alike(role: str, balance: Decimal, amount: Decimal) -> bool:
    """Whether Severa's status says what the ERP's balance says (R-PAY-1); before it is sent it says nothing (R-PAY-2)."""
    if role in ("sent", "partly_paid", "paid"):
        return role == ("paid" if balance == 0 else "partly_paid" if balance < amount else "sent")
    return True
