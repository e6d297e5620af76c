"""Hold for review: a document is made only once a person has let its invoice go (R-INV-15)."""

from __future__ import annotations

from decimal import Decimal

from domain.errors import NotFound
from domain.invoice.attempt import Attempt, Planned
from domain.invoice.plan import Item
from domain.invoice.totals import money_text, severa_vat, vat_text
from domain.mapper import text
from domain.money import ZERO

# What a person's choice for an invoice is called where choices are kept.
RELEASED = "released"
CODE = "invoice.held_for_review"


def check_released(attempt: Attempt, planned: Planned) -> None:
    """Raises Stop ``invoice.held_for_review`` with totals, VAT and target accounts while nobody has let the invoice go.

    Invoices and credit notes have a setting each. What was sent already is not held any more.
    """
    invoice, settings = attempt.invoice, attempt.delivery.tenant.settings
    holds = settings.hold_credit_notes if invoice.is_credit_note else settings.hold_invoices
    if not holds or attempt.step("create") is not None:
        return
    if attempt.delivery.books.choice("invoice", severa_id=attempt.guid) == RELEASED:
        return
    sign, currency = invoice.sign, invoice.currency
    raise attempt.stop(
        CODE,
        {
            "document_type": invoice.document_type,
            "net": money_text(invoice.net * sign, currency),
            "tax": money_text(invoice.tax * sign, currency),
            "total": money_text(invoice.total * sign, currency),
            "vat": vat_text(severa_vat(invoice)),
            "accounts": accounts_text(attempt, planned),
            "project": planned.need.project or "–",
            "branch": planned.choices.branch or "–",
        },
    )


def _sales_account(attempt: Attempt, item: Item) -> str:
    """An item's sales account; lists do not show it, so the item is read singly where it is missing."""
    path = "accountInformation.salesAccount.number"
    known = text(item.body, path)
    if known:
        return known
    try:
        return text(attempt.delivery.erp.get("inventory", item.number).body, path) or "–"
    except NotFound:
        return "–"


def accounts_text(attempt: Attempt, planned: Planned) -> str:
    """Net per sales account of the items: ``3010: 8000.00 SEK; 3050: 1200.00 SEK``; '–' where an item tells none."""
    invoice = attempt.invoice
    nets: dict[str, Decimal] = {}
    accounts: dict[str, str] = {}
    for row in invoice.rows:
        number = planned.need.items[row.guid].number
        if number not in accounts:
            accounts[number] = _sales_account(attempt, planned.need.items[row.guid])
        account = accounts[number]
        nets[account] = nets.get(account, ZERO) + row.net(invoice.currency) * invoice.sign
    return "; ".join(
        f"{account}: {money_text(net, invoice.currency)}" for account, net in sorted(nets.items())
    )
