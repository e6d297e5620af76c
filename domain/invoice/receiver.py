"""Whom a document is made out to: its address and contact, where they are not the customer's own (R-INV-2)."""

from __future__ import annotations

from typing import Any

from domain.invoice.choices import Drafting
from domain.invoice.model import SeveraInvoice
from domain.mapper import read, text
from domain.model import Json
from domain.text import lines, name_key


def address_differs(invoice: SeveraInvoice, customer: Json | None) -> bool:
    """Whether the invoice's address is none of the customer's own; False where there is nothing to compare with."""
    printed = _address_key(read(invoice.body, "receiverAddress"), "addressline")
    own = [read(customer, name) for name in ("invoiceAddress", "mainAddress", "deliveryAddress")]
    known = [_address_key(one) for one in own if isinstance(one, dict)]
    return any(printed) and bool(known) and printed not in known


def _address_key(body: Any, first: str = "") -> tuple[str, str, str]:
    """Street, postal code and town as they are compared; countries are not (their languages differ)."""
    if not isinstance(body, dict):
        return ("", "", "")
    street = text(body, first) if first else "\n".join(text(body, f"addressLine{n}") for n in (1, 2, 3))
    postal = text(body, "postalCode").replace(" ", "").casefold()
    return (name_key(" ".join(lines(street))), postal, name_key(text(body, "city")))


def address(made: Drafting) -> dict[str, Any]:
    """Members of the ERP's block for the receiver's address, empty where the address is the customer's own."""
    if made.choices.country is None:
        return {}
    body = made.invoice.body
    street = lines(text(body, "receiverAddress.addressline"))
    return {
        "overrideAddress": True,
        "addressLine1": (street or [""])[0],
        "addressLine2": street[1] if len(street) > 1 else "",
        "addressLine3": ", ".join(street[2:]),
        "postalCode": text(body, "receiverAddress.postalCode"),
        "city": text(body, "receiverAddress.city"),
        "countryId": made.choices.country,
    }


def contact(made: Drafting) -> dict[str, Any]:
    """The receiver's name, person and e-mail, where they are not what the customer's invoice contact says already.

    A person that is linked is sent as a contact of the customer, which tells its name and e-mail itself.
    """
    body, customer, linked = made.invoice.body, made.need.customer_body, bool(made.choices.contact)
    if customer is None:
        return {}
    wanted = {
        "name": text(body, "receiverCustomerName"),
        "attention": "" if linked else text(body, "receiverContactName"),
        "email": "" if linked else text(body, "receiverContactEmail"),
    }
    own = {
        name: text(customer, f"invoiceContact.{name}") or text(customer, f"mainContact.{name}")
        for name in wanted
    }
    own["name"] = own["name"] or text(customer, "name")
    different = {
        n: v
        for n, v in wanted.items()
        if v and name_key(v) not in {name_key(own[n]), name_key(text(customer, n))}
    }
    return {"overrideContact": True, **wanted} if different else {}
