"""The proof of the day: both systems compared, without a look into the bridge's own database (R-INV-4, R-INV-13).

Proven is an invoice whose totals agree within the tolerance, whose number stands on both sides, and for which exactly one
document was ever released. Pure functions over what both systems show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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
    erp_total = money(document["amountInCurrency"]) * sign
    balance = money(document["balanceInCurrency"])
    wrong = []
    if role not in BOOKED:
        wrong.append(f"stands in '{role}' in Severa")
    if document["status"] not in ("Open", "Closed"):
        wrong.append(f"its document is {document['status']}, not released")
    if mark and mark["releases"] != 1:
        wrong.append(f"was released {mark['releases']} times")
    if document["currencyId"] != plain.currency:
        wrong.append(f"is in {plain.currency}, its document in {document['currencyId']}")
    if abs(total - erp_total) > TOLERANCE:
        wrong.append(f"is {total} in Severa, {erp_total} in the ERP")
    vat = money(invoice["totalTax"]["amount"])
    erp_vat = money(document["vatTotalInCurrency"]) * sign
    if abs(vat - erp_vat) > TOLERANCE:
        wrong.append(f"has VAT {vat} in Severa, {erp_vat} in the ERP")
    if str(plain.number) != document["referenceNumber"]:
        wrong.append(f"has number {plain.number} in Severa, {document['referenceNumber']} in the ERP")
    reference = document["paymentReference"]
    if reference and invoice["referenceNumber"] != reference:
        wrong.append(f"has payment reference {invoice['referenceNumber']}, the ERP {reference}")
    if (document["documentType"], document["referenceNumber"]) in sent:
        wrong.append("was sent to the customer by the ERP")
    if not _paid_alike(role, balance, abs(erp_total)):
        wrong.append(f"stands in '{role}', but {balance} of {abs(erp_total)} is open in the ERP")
    return replace(
        plain,
        wrong=tuple(wrong),
        erp_total=erp_total,
        erp_number=document["referenceNumber"],
        erp_status=document["status"],
        open_balance=balance,
    )


def _paid_alike(role: str, balance: Decimal, amount: Decimal) -> bool:
    """Whether Severa's status says what the ERP's balance says (R-PAY-1); before it is sent it says nothing (R-PAY-2)."""
    if role in ("sent", "partly_paid", "paid"):
        return role == ("paid" if balance == 0 else "partly_paid" if balance < amount else "sent")
    return True
