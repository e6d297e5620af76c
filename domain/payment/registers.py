"""Payments as the poller reads them: ERP customer documents and customer payments, and what each of them concerns.

The bridge writes nothing of a payment but the invoice's status and payment date in Severa.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from domain.fields import Field
from domain.invoice.model import document_type
from domain.invoice.registers import DOCUMENTS
from domain.mapper import day, known_money, read, text
from domain.model import Json
from domain.registers import Concern, Register
from domain.text import canonical

PAYMENTS = "customerPayment"

# Open question: the input model of PATCH invoices is not published; null is taken to clear a payment date.
PAYMENT_DATE_PATH = "/paymentDate"

# Open question: the words of an application's docType (a plain string in the vendor's document). Both the ERP's own
# short codes and the enum words are taken for write-offs.
WRITE_OFFS = frozenset({"SMB", "SMC", "SMALLBALANCEWO", "SMALLCREDITWO"})
# What voids a payment bears its number and a type of its own: type → the types that it voids.
_PAYMENTS = frozenset({"PMT", "PPM", "PAYMENT", "PREPAYMENT"})
_REFUNDS = frozenset({"REF", "REFUND"})
VOIDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {"RPM": _PAYMENTS, "VOIDPAYMENT": _PAYMENTS, "VRF": _REFUNDS, "VOIDREFUND": _REFUNDS}
)


def type_key(doc_type: str) -> str:
    """A document's type as it is compared: 'Void Payment' and 'VoidPayment' are one."""
    return doc_type.replace(" ", "").upper()


FIELDS = (
    Field("status", "status.guid", "status", "←", "role", "visma_net", note="by balance and amount, R-PAY-1"),
    Field("payment date", "paymentDate", "applications.applicationDate", "←", "last", "visma_net"),
)


def document_projection(body: Json) -> Mapping[str, str]:
    """What counts of a document: type, number, status and money. The same for a list row and a single read."""
    values = {
        "type": document_type(read(body, "documentType")) or text(body, "documentType"),
        "number": text(body, "referenceNumber"),
        "status": text(body, "status"),
        "customer": text(body, "customer.number"),
        "currency": text(body, "currencyId"),
    }
    for name in ("amountInCurrency", "balanceInCurrency"):
        values[name] = canonical(known_money(read(body, name)))
    return values


def payment_projection(body: Json) -> Mapping[str, str]:
    """What counts of a payment: type, number, status, date, and each document with what was paid and written off."""
    paid = day(read(body, "applicationDate"))
    lines = [
        "|".join(
            (
                text(line, "documentType"),
                text(line, "refNbr"),
                canonical(known_money(read(line, "amountPaid"))),
                canonical(known_money(read(line, "balanceWriteOff"))),
            )
        )
        for line in read(body, "paymentLines") or []
    ]
    return {
        "type": text(body, "type"),
        "number": text(body, "refNbr"),
        "status": text(body, "status"),
        "date": paid.isoformat() if paid else "",
        "lines": "\n".join(sorted(lines)),
    }


def erp_time(body: Json) -> datetime | None:
    """The later of created and changed, as the ERP writes it: without a zone."""
    times = [_time(text(body, name)) for name in ("lastModifiedDateTime", "createdDateTime")]
    return max((one for one in times if one is not None), default=None)


def _time(value: str) -> datetime | None:
    # Up to seven digits of a fraction come; six can be held.
    head, dot, fraction = value.partition(".")
    digits = "".join(ch for ch in fraction if ch.isdigit())[:6]
    try:
        found = datetime.fromisoformat(f"{head}.{digits:0<6}" if dot and digits else value)
    except ValueError:
        return None
    return found.replace(tzinfo=None)


def document_id(body: Json) -> str:
    """Internal id of a document: numbers are unique per type only."""
    return f"{document_type(read(body, 'documentType')) or text(body, 'documentType')}/{text(body, 'referenceNumber')}"


def _document_concerns(body: Json) -> tuple[Concern, ...]:
    if document_type(read(body, "documentType")) is None:
        return ()
    return (Concern("payment", DOCUMENTS, document_id(body), only_linked=True),)


def _payment_concerns(body: Json) -> tuple[Concern, ...]:
    """The documents that a payment is applied to; a void lists them several times, once is enough."""
    found = {
        f"{kind}/{text(line, 'refNbr')}"
        for line in read(body, "paymentLines") or []
        if (kind := document_type(read(line, "documentType"))) is not None and text(line, "refNbr")
    }
    return tuple(Concern("payment", DOCUMENTS, one, only_linked=True) for one in sorted(found))


REGISTERS: tuple[Register, ...] = (
    Register(
        system="visma_net",
        name=DOCUMENTS,
        identify=document_id,
        number=lambda body: text(body, "referenceNumber"),
        title=lambda body: text(body, "customer.name"),
        projection=document_projection,
        concerns=_document_concerns,
        remote_time=erp_time,
    ),
    Register(
        system="visma_net",
        name=PAYMENTS,
        identify=lambda body: f"{text(body, 'type')}/{text(body, 'refNbr')}",
        number=lambda body: text(body, "refNbr"),
        title=lambda body: text(body, "customer.name"),
        projection=payment_projection,
        concerns=_payment_concerns,
        remote_time=erp_time,
    ),
)
