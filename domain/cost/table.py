"""The mapping of a line of the ERP to a project fee in Severa: what is sent. It is proven in ``plan.differences``, by currency."""

from __future__ import annotations

from dataclasses import dataclass

from domain.cost.brought import Brought
from domain.fields import Field
from domain.sheet import Sent, Sheet

# Open question: how long a fee's description may be; no length is documented. The shortest text limit that any of the
# vendor's documents names is 80.
SURELY_KEPT = 80


@dataclass(frozen=True, slots=True)
class Fee:
    """A fee that is being made: what the line becomes, and the marker that it is known again by."""

    one: Brought
    marker: str


def described(words: str, marker: str) -> str:
    """A fee's or file's description (R-CST-2): the words, then the marker. In a text that may be too long for Severa the
    marker comes first: what is cut is cut at the end, and a fee whose marker was cut off would be brought again."""
    whole = f"{words} {marker}".strip()
    return whole if len(whole) <= SURELY_KEPT else f"{marker} {words}"


FEE: Sheet[Fee] = Sheet(
    (
        Sent("project", "project.guid", lambda made: made.one.project, erp="project.id", as_="link", owner="visma_net",
             note="closed project: problem"),
        Sent("phase", "phase.guid", lambda made: made.one.phase, as_="constant", owner="visma_net", note="the project's root phase"),
        Sent("description", "description", lambda made: described(made.one.text, made.marker), erp="transactionDescription",
             as_="joined text", owner="visma_net",
             note="with reference number, supplier number and name, then the marker [ERP type number/line]; over 80 characters the marker first"),
        Sent("row_text", "invoiceRowDescription", lambda made: made.one.label if made.one.billable else None,
             erp="transactionDescription", owner="visma_net",
             note="billable only: neither supplier nor marker is printed on the customer's invoice"),
        Sent("date", "eventDate", lambda made: made.one.date, erp="date", as_="date", owner="visma_net",
             note="transactionDate of a journal; a voided document keeps its date"),
        Sent("quantity", "quantity", lambda _made: 1, as_="constant", owner="visma_net", note="always 1"),
        Sent("cost", "unitCost", lambda made: {"amount": made.one.cost, "currencyCode": made.one.currency}, erp="cost",
             as_="signed company-currency amount", owner="visma_net",
             note="VAT removed when the document's lines include it; debitAmount - creditAmount of a journal line"),
        Sent("price", "unitPrice", lambda made: {"amount": made.one.price, "currencyCode": made.one.price_currency}, erp="cost",
             as_="multiplier", owner="visma_net", note="0.00 when only a cost"),
        Sent("billable", "isBillable", lambda made: made.one.billable, as_="setting", owner="visma_net"),
    ),
    flows="←",
)  # fmt: skip
"""VAT, product and product type are left to Severa's logic (R-CST-2)."""

FILES = (
    Field("file", "projects.files", "attachments", "←", "file", "visma_net", note="same description text"),
)
"""What goes beside it, to the project (R-CST-4)."""
