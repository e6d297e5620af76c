"""What a line becomes in Severa: amounts, texts and the fee's members. Pure decisions on data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from domain.cost.brought import Brought
from domain.cost.document import Document, Line
from domain.cost.table import FEE, Fee
from domain.errors import Stop
from domain.mapper import decimal, flag, moment, nested, read, text
from domain.model import Json, Step
from domain.money import ZERO, amount, rounded
from domain.moves import SEVERA_TIME_SLACK, created_after
from domain.setup.settings import TenantSettings
from domain.text import canonical
from domain.values import money, pair
from domain.words import WORDS

# Open question: the direction of a currency's rate in Severa. Taken as organisation currency per unit of the currency.
RATE_IS_ORGANISATION_CURRENCY_PER_UNIT = True

_HUNDRED = Decimal(100)


# ---------------------------------------------------------------- amounts


def cost_of(line: Line, document: Document, currency: str) -> Decimal:
    """The line's cost in the company's currency, net of VAT, signed.

    Raises Stop ``cost.amount_missing``, or ``cost.vat_unknown`` when the VAT in it cannot be told.
    """
    if line.amount is None:
        raise Stop("cost.amount_missing", named(document) | {"line": line.key})
    if line.net is None:
        raise Stop("cost.vat_unknown", named(document) | {"line": line.key})
    numerator, denominator = line.net
    return rounded(line.amount * numerator / denominator, currency)


@dataclass(frozen=True, slots=True)
class Rates:
    """Severa's currencies: the organisation's own code, and the rates of the others (None where there is none)."""

    organisation: str
    rates: Mapping[str, Decimal]

    def of(self, currency: str) -> Decimal | None:
        """Organisation currency per unit of a currency (R-CST-3)."""
        if currency == self.organisation:
            return Decimal(1)
        rate = self.rates.get(currency)
        if rate is None or rate <= 0:
            return None
        return rate if RATE_IS_ORGANISATION_CURRENCY_PER_UNIT else Decimal(1) / rate


def rates_of(currencies: Iterable[Json], base: str) -> Rates:
    """The rates in the rows of ``currencies``. Severa keeps one rate per currency, the present one, no history."""
    rows = list(currencies)
    own = next(
        (text(row, "code") for row in rows if flag(read(row, "isOrganizationCurrency"), default=False)), base
    )
    found = {text(row, "code"): decimal(read(row, "rate")) for row in rows}
    return Rates(own, {code: rate for code, rate in found.items() if rate is not None})


def price_of(
    cost: Decimal, settings: TenantSettings, *, base: str, currency: str, rates: Rates
) -> Decimal | None:
    """The fee's price in ``currency``: 0 for a cost only, else cost × multiplier, rounded once (R-CST-3).

    None when it has to be converted and Severa has no rate.
    """
    if settings.costs != "cost-and-fee":
        return rounded(ZERO, currency)
    if currency == base:
        return rounded(cost * settings.cost_multiplier_percent / _HUNDRED, currency)
    own, other = rates.of(base), rates.of(currency)
    if own is None or other is None:
        return None
    return rounded(cost * settings.cost_multiplier_percent * own / (_HUNDRED * other), currency)


# ---------------------------------------------------------------- the fee


def fee_body(one: Brought, marker: str) -> Json:
    """Members of a new project fee (R-CST-2)."""
    members, _ = FEE.filled("", Fee(one, marker))
    return nested(members)


def planned(
    line: Line,
    document: Document,
    project: Json,
    *,
    cost: Decimal,
    base: str,
    price: Decimal,
    billable: bool,
    language: str,
) -> Brought:
    """What a line is to become on a Severa project."""
    return Brought(
        fee="",
        project=text(project, "guid"),
        phase=text(project, "rootPhase.guid"),
        cost=cost,
        currency=base,
        price=price,
        price_currency=project_currency(project, base),
        billable=billable,
        date=_text_of(document.dated),
        text=line.description,
        # Left empty, Severa could print the description with supplier and marker on the customer's invoice.
        label=line.label or WORDS["cost"].text("row", language),
    )


def taken_back(one: Brought) -> Brought:
    """The negative of a line whose document was voided: the same amounts the other way (R-CST-1)."""
    return replace(one, fee="", cost=-one.cost, price=-one.price, adopted=False)


def found_as(fee: Json, meant: Brought) -> Brought:
    """A fee of Severa that carries a line's marker, adopted. Its own amounts count: they are what would be taken back."""
    return Brought(
        fee=text(fee, "guid"),
        project=text(fee, "project.guid") or meant.project,
        phase=text(fee, "phase.guid") or meant.phase,
        cost=_amount(fee, "unitCost", meant.cost),
        currency=text(fee, "unitCost.currencyCode") or meant.currency,
        price=_amount(fee, "unitPrice", meant.price),
        price_currency=text(fee, "unitPrice.currencyCode") or meant.price_currency,
        billable=flag(read(fee, "isBillable"), default=meant.billable),
        date=meant.date,
        text=meant.text,
        label=meant.label,
        adopted=True,
    )


def sent_as(sent: Json, meant: Brought, fee: Json) -> Brought:
    """A fee found after a request without an answer: what was asked for then, not what would be asked for now, on the
    project where it stands."""
    return replace(
        meant,
        fee=text(fee, "guid"),
        project=text(fee, "project.guid") or meant.project,
        phase=text(fee, "phase.guid") or meant.phase,
        cost=Decimal(str(sent["unitCost"]["amount"])),
        price=Decimal(str(sent["unitPrice"]["amount"])),
        price_currency=sent["unitPrice"]["currencyCode"],
        billable=sent["isBillable"],
    )


def looks_like(fee: Json, step: Step) -> bool:
    """Whether a fee may be what an unanswered call made: the same cost and day, made in the time in which that call may have."""
    sent, made = step.request, moment(read(fee, "createdDateTime"))
    if (
        made is None
        or step.sent_at is None
        or not created_after(read(fee, "createdDateTime"), step.sent_at, SEVERA_TIME_SLACK)
    ):
        return False
    made = made if made.tzinfo is not None else made.replace(tzinfo=step.sent_at.tzinfo)
    if step.settles_at is not None and made > step.settles_at:
        return False
    cost = money_in(read(fee, "unitCost"), sent["unitCost"]["currencyCode"])
    return (
        cost == Decimal(str(sent["unitCost"]["amount"]))
        and text(fee, "eventDate")[:10] == str(sent.get("eventDate") or "")[:10]
    )


# Seconds that Severa may take to have made a fee.
_MADE_IN = timedelta(seconds=5)


def edited(fee: Json) -> bool:
    """Whether a fee was changed after it was made, as Severa tells."""
    made, changed = moment(read(fee, "createdDateTime")), moment(read(fee, "lastUpdatedDateTime"))
    return made is not None and changed is not None and changed - made > _MADE_IN


def _amount(fee: Json, name: str, default: Decimal) -> Decimal:
    value = read(fee, f"{name}.amount")
    return default if value is None else amount(value)


def differences(one: Brought, fee: Json) -> list[Json]:
    """What Severa stored otherwise than it was sent (``domain.values.pair``, sent first); empty = proven (R-CST-3)."""
    found = []
    for name, sent, currency in (
        ("unitCost", one.cost, one.currency),
        ("unitPrice", one.price, one.price_currency),
    ):
        stored = money_in(read(fee, name), currency)
        if (stored if stored is not None else ZERO if sent == 0 else None) != sent:
            found.append(pair(name, money(sent, currency), _shown(fee, name)))
    if flag(read(fee, "isBillable"), default=False) is not one.billable:
        found.append(pair("isBillable", canonical(one.billable), canonical(read(fee, "isBillable"))))
    quantity = decimal(read(fee, "quantity"))
    if quantity != 1:
        found.append(pair("quantity", "1", "" if quantity is None else f"{quantity:f}"))
    if text(fee, "project.guid") != one.project:
        found.append(pair("project", one.project, text(fee, "project.guid")))
    return found


def money_in(money: Json | None, currency: str) -> Decimal | None:
    """A money object's amount in a currency, also from its other currencies; rounded to it. None if it says nothing."""
    if not money:
        return None
    own = text(money, "currencyCode")
    amounts = [money] if own in ("", currency) else []
    amounts += [
        one for one in read(money, "multiCurrencyInfo") or () if text(one, "currencyCode") == currency
    ]
    for one in amounts:
        value = decimal(read(one, "amount"))
        if value is not None:
            return rounded(value, currency)
    return None


def _shown(fee: Json, name: str) -> Json | str:
    stored = decimal(read(fee, f"{name}.amount"))
    if stored is None:
        return ""
    # As Severa tells it: what it stored otherwise may have more decimals than the currency.
    return {"amount": f"{stored:f}", "currency": text(fee, f"{name}.currencyCode")}


def project_currency(project: Json, base: str) -> str:
    """The currency that a project is priced in; the company's where the project does not say."""
    return text(project, "currency.code") or base


def base_currency(organizations: Iterable[Json], currencies: Iterable[Json]) -> str:
    """The company's currency: the ERP's base currency, else Severa's organisation currency (equal by preflight), else ''."""
    for body in organizations:
        if code := text(body, "baseCurrency") or text(body, "currency.id"):
            return code
    for body in currencies:
        if flag(read(body, "isOrganizationCurrency"), default=False):
            return text(body, "code")
    return ""


def _text_of(dated: date | None) -> str:
    return dated.isoformat() if dated is not None else ""


# ---------------------------------------------------------------- words

_KINDS = frozenset({"Invoice", "CreditAdj", "DebitAdj", "QuickCheck", "VoidQuickCheck"})


def named(document: Document) -> dict[str, Any]:
    """How a document is called in sentences: the term of its kind; one of the general ledger also has the module that made it."""
    if document.kind in _KINDS:
        return {"kind": document.kind, "number": document.number}
    return {"kind": "journal", "module": document.kind, "number": document.number}
