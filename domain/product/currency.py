"""The organisation's currency, which prices of products are compared in."""

from __future__ import annotations

from domain.mapper import decimal, read, text
from domain.money import ZERO
from domain.moves import Aftermath
from domain.ports import Delivery
from domain.product.plan import Sides
from domain.reference import SEVERA_CURRENCIES
from domain.values import money


def own_currency(delivery: Delivery, after: Aftermath, *, needed: bool = False) -> str:
    """Its code, '' if nobody says it. ``needed``: asked for until somebody does; raises Stop ``product.currency_unknown``."""
    rows = [record.body for record in delivery.books.all("severa", SEVERA_CURRENCIES)]
    if not rows and needed:
        rows = list(delivery.severa.list(SEVERA_CURRENCIES))
    own = next((text(row, "code") for row in rows if read(row, "isOrganizationCurrency") is True), "")
    if not own and needed:
        own = _companys(delivery)
    if not own and needed:
        raise after.stop("product.currency_unknown")
    return own


def _companys(delivery: Delivery) -> str:
    """The currency that the organisation's own record names, where no currency is marked as its own."""
    details = delivery.severa.get("organizationdetails", "")
    companies = {text(company, "currencyCode") for company in read(details, "activeCompanies") or []}
    named = text(details, "currency.code")
    return named or (companies.pop() if len(companies) == 1 else "")


def say_foreign_price(after: Aftermath, sides: Sides, name: str) -> None:
    """A price in another currency than the ERP's is not comparable and stays where it is: that is said."""
    price = decimal(read(sides.severa, f"{sides.kind.price}.amount"))
    after.say(
        "product.foreign_price",
        level="warning",
        name=name,
        price=money(price or ZERO, text(sides.severa, f"{sides.kind.price}.currencyCode")),
        currency=sides.currency,
    )
