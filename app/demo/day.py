"""The day, act by act: data. A new act is one more entry in ``DAY``.

A beat is narrated, played by people in either system, and then followed until all that it expects is true.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.demo import moves
from app.demo.expecting import amount, booked, closed, logged, problem_of, standing
from app.demo.proof import ZERO
from app.demo.stage import Stage
from app.demo.watch import Expect


@dataclass(frozen=True)
class Beat:
    """One move of people. ``tells``: lines to print after the move, before the bridge is watched."""

    narration: str
    move: Callable[[Stage], list[str]]
    expect: tuple[Expect, ...]


@dataclass(frozen=True)
class Act:
    """A chapter of the day."""

    title: str
    beats: tuple[Beat, ...]


DAY: tuple[Act, ...] = (
    Act(
        "Go-live",
        (
            Beat(
                "Nordkonsult AB, a consulting firm in Stockholm, has its hours and projects in Visma Severa and its books in "
                "Visma.net ERP. The bridge reads both registers once and links what belongs together.",
                moves.go_live,
                (moves.REGISTERS_LINKED, moves.INTERNAL_STAYS),
            ),
        ),
    ),
    Act(
        "Three consultants' invoices",
        (
            Beat(
                "Aino, Erik and Leila have finished their month. Their invoices, with VAT of 25, 12 and 6 % and travel on "
                "them, are approved in Severa.",
                moves.approve_three_invoices,
                (booked("aino", "erik", "leila"),),
            ),
        ),
    ),
    Act(
        "A new customer, a new project and its first invoice, all at once",
        (
            Beat(
                "Sales has won Havsbris Hotell AB. Customer, project and a first invoice appear in Severa within the same "
                "second. The ERP knows none of them, and is slow to answer just now.",
                moves.win_a_customer,
                (moves.NEW_CUSTOMER_NUMBERED, moves.NEW_INVOICE_WAITED, booked("havsbris")),
            ),
        ),
    ),
    Act(
        "An invoice with the wrong VAT",
        (
            Beat(
                "Course books carry 6 % VAT, but on this invoice somebody typed 25 %. The ERP would book another total than "
                "the customer is told.",
                moves.approve_with_wrong_vat,
                (
                    problem_of("books", "invoice.total_would_differ"),
                    standing(
                        "failed",
                        lambda p: (
                            f"The invoice to {p.customer} stands among the failed ones; nothing was booked, no number used"
                        ),
                        "books",
                    ),
                ),
            ),
            Beat(
                "Birgitta in finance reads that, corrects the row to 6 % and sets the invoice to transfer again.",
                moves.repair_vat,
                (booked("books"), closed("books")),
            ),
        ),
    ),
    Act(
        "An invoice in euro",
        (
            Beat(
                "Pohjanmaan Konepaja Oy in Vaasa, Finland, is invoiced in euro: a business in another EU country, so the "
                "buyer accounts for the VAT (reverse charge).",
                moves.invoice_in_euro,
                (booked("vaasa"), moves.EURO_IN_THE_BOOKS),
            ),
        ),
    ),
    Act(
        "Invoices go out, money comes in",
        (
            Beat(
                "The invoices are sent from Severa, all but Leila's. The bank brings a part payment, a full payment, and one "
                "for Leila's invoice, which has not been sent yet.",
                moves.send_and_pay,
                (
                    standing(
                        "partly_paid",
                        lambda p: (
                            f"{p.erp_number} is partly paid, {amount(p.open_balance or ZERO, p.currency)} is left"
                        ),
                        "aino",
                    ),
                    standing("paid", lambda p: f"{p.erp_number} is paid, dated {p.payment_date}", "erik"),
                    logged("payment.waits_until_sent", "the payment of an unsent invoice waits"),
                ),
            ),
            Beat(
                "Leila sends her invoice.",
                moves.send_the_last,
                (standing("paid", lambda p: f"{p.erp_number} is paid, dated {p.payment_date}", "leila"),),
            ),
        ),
    ),
    Act(
        "A credit note",
        (
            Beat(
                "Havsbris Hotell was invoiced too early: Severa credits the whole invoice.",
                moves.credit,
                (booked("credit"), moves.CREDIT_APPLIED),
            ),
            Beat(
                "The credit note is sent to the customer.",
                moves.send_the_credit_note,
                (
                    standing(
                        "paid",
                        lambda p: f"Credit note {p.erp_number} is settled, dated {p.payment_date}",
                        "credit",
                    ),
                ),
            ),
        ),
    ),
    Act(
        "A customer edited on both sides",
        (
            Beat(
                "In Severa somebody corrects the e-mail address of Mälarbygg, in the ERP somebody else its website, in the "
                "same minute.",
                moves.edit_different_fields,
                (moves.BOTH_EDITS_ARRIVED,),
            ),
            Beat(
                "Then both change the same field, the e-mail address of Skärgårdsrederiet, to different values.",
                moves.edit_same_field,
                (problem_of("skargard", "customer.conflict"),),
            ),
            Beat(
                "The rule is to ask. The two agree on the ERP's address, and Severa's is corrected.",
                moves.decide_conflict,
                (moves.CONFLICT_DECIDED, closed("skargard")),
            ),
        ),
    ),
    Act(
        "A supplier's invoice becomes a billable cost",
        (
            Beat(
                "A subcontractor's invoice with a PDF is posted on project 1001 in the ERP. The tenant bills such costs at "
                "150 %.",
                moves.supplier_invoice,
                (moves.COST_BROUGHT, moves.COST_FILE_BROUGHT),
            ),
        ),
    ),
)
