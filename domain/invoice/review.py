"""Hold for review: a document is made only once a person has let its invoice go, and only as they saw it (R-INV-15).

What was seen is kept as a hash beside the choice (docs/never-twice.md rule 18): an invoice that was released at 15 352.79 and
edited to 1 450 500.00 is held again (S18).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from domain.errors import NotFound
from domain.invoice.plan import Item
from domain.invoice.registers import projection
from domain.invoice.totals import money_text, per_rate, severa_vat
from domain.invoice.work import Planned, Work
from domain.mapper import text
from domain.money import ZERO
from domain.values import money

# What a person's choice for an invoice begins with where choices are kept; the hash of what was seen follows.
RELEASED = "released"
CODE = "invoice.held_for_review"
CHANGED = "invoice.changed_since_review"
# Problems that a release answers, each with ``seen`` in its values.
CODES = frozenset({CODE, CHANGED})

# Members of Severa's projection that say how far the invoice has come, not what it is.
_PROGRESS = frozenset({"status", "number", "reference"})


def released_as(seen: str) -> str:
    """The choice that lets an invoice go as it was seen."""
    return f"{RELEASED}:{seen}"


def approval_hash(planned: Planned, accounts: str = "") -> str:
    """What a person lets go: the document as it would be sent (lines, VAT, customer, branch, dates), Severa's mapped fields
    with the totals, and the sales accounts."""
    invoice = planned.invoice
    fields = {name: value for name, value in projection(invoice.body).items() if name not in _PROGRESS}
    seen = {
        "header": {name: str(value) for name, value in planned.sent.header.items()},
        "lines": [{name: str(value) for name, value in line.items()} for line in planned.sent.lines],
        "applied": [{name: str(value) for name, value in one.items()} for one in planned.sent.applications],
        "categories": sorted(planned.need.categories().values()),
        "zone": planned.need.zone,
        "fields": fields,
        "accounts": accounts,
    }
    return hashlib.sha256(json.dumps(seen, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]


def check_released(work: Work, planned: Planned) -> None:
    """Raises Stop ``invoice.held_for_review`` with totals, VAT and target accounts while nobody has let the invoice go, and
    ``invoice.changed_since_review`` when it is not the one that was let go.

    Invoices and credit notes have a setting each.
    """
    if not _holds(work):
        return
    choice = work.delivery.books.choice("invoice", severa_id=work.guid) or ""
    accounts = net_per_account(work, planned)
    seen = approval_hash(planned, accounts_text(accounts, planned.invoice.currency))
    if choice == released_as(seen):
        return
    # A bare 'released' of 0.1.0 says nothing of what was seen: asked again.
    code = CHANGED if choice.startswith(f"{RELEASED}:") else CODE
    raise work.stop(code, _shown(planned, accounts) | {"seen": seen})


def still_released(work: Work, planned: Planned) -> bool:
    """Whether a document that was made already is still the one that was let go; what was sent before anybody held it back
    is not held any more."""
    choice = work.delivery.books.choice("invoice", severa_id=work.guid) or ""
    if not _holds(work) or not choice.startswith(f"{RELEASED}:"):
        return True
    return choice == released_as(_hash(work, planned))


def _hash(work: Work, planned: Planned) -> str:
    return approval_hash(planned, accounts_text(net_per_account(work, planned), planned.invoice.currency))


def _holds(work: Work) -> bool:
    settings = work.delivery.tenant.settings
    return settings.hold_credit_notes if work.invoice.is_credit_note else settings.hold_invoices


def _shown(planned: Planned, accounts: Mapping[str, Decimal]) -> dict[str, Any]:
    invoice = planned.invoice
    sign, currency = invoice.sign, invoice.currency
    return {
        "document_type": invoice.document_type,
        "net": money(invoice.net * sign, currency),
        "tax": money(invoice.tax * sign, currency),
        "total": money(invoice.total * sign, currency),
        "vat": per_rate(severa_vat(invoice)),
        "accounts": [
            {"account": account, **money(net, currency)} for account, net in sorted(accounts.items())
        ],
        "project": planned.need.project,
        "branch": planned.choices.branch,
    }


def _sales_account(work: Work, item: Item) -> str:
    """An item's sales account; lists do not show it, so the item is read singly where it is missing."""
    path = "accountInformation.salesAccount.number"
    known = text(item.body, path)
    if known:
        return known
    try:
        return text(work.delivery.erp.get("inventory", item.number).body, path)
    except NotFound:
        return ""


def net_per_account(work: Work, planned: Planned) -> Mapping[str, Decimal]:
    """Net per sales account of the items; the account is '' where an item tells none."""
    invoice = planned.invoice
    nets: dict[str, Decimal] = {}
    accounts: dict[str, str] = {}
    for row in invoice.rows:
        number = planned.need.items[row.guid].number
        if number not in accounts:
            accounts[number] = _sales_account(work, planned.need.items[row.guid])
        account = accounts[number]
        nets[account] = nets.get(account, ZERO) + row.net(invoice.currency) * invoice.sign
    return nets


def accounts_text(nets: Mapping[str, Decimal], currency: str) -> str:
    """The accounts as they are hashed, ``3010: 8000.00 SEK; 3050: 1200.00 SEK``: the form of the first versions, or what was let go
    under them would be asked for again."""
    named = {account or "–": net for account, net in nets.items()}
    return "; ".join(f"{account}: {money_text(net, currency)}" for account, net in sorted(named.items()))
