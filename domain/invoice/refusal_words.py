"""Words for what Visma.net ERP refuses: our own first, with where to repair it, the vendor's text after them (R-INV-14)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain.explain import Cause, Text

ERP = Text("Visma.net ERP: Kundfakturor (AR301000)", "Visma.net ERP: Customer invoices (AR301000)")
CUSTOMER = Text("Visma.net ERP: Kunder (AR303000)", "Visma.net ERP: Customers (AR303000)")
ITEM = Text("Visma.net ERP: Ej lagerförda artiklar (IN202000)", "Visma.net ERP: Non-stock items (IN202000)")
PROJECT = Text("Visma.net ERP: Projekt (PM301000)", "Visma.net ERP: Projects (PM301000)")
SET_AGAIN = Text(
    "Rätta det i Visma.net ERP och sätt fakturan i överföringsstatus igen.",
    "Correct it in Visma.net ERP and set the invoice to the transfer status again.",
)


def _refused(sv: str, en: str, where: Text) -> Cause:
    """A refusal of the ERP: our words first, the vendor's own text after them."""
    return Cause(
        Text(f"{sv} Visma.net ERP svarade: {{text}}", f"{en} Visma.net ERP said: {{text}}"), SET_AGAIN, where
    )


REFUSED: Mapping[str, Cause] = MappingProxyType(
    {
        "invoice.vat_mismatch": _refused(
            "Kundens momszon och artikelns momskategori hör inte ihop.",
            "The customer's VAT zone and the item's VAT category do not fit.",
            Text("Visma.net ERP: Momszoner (TX206000)", "Visma.net ERP: VAT zones (TX206000)"),
        ),
        "invoice.period_closed": Cause(
            Text(
                "Räkenskapsperioden {period} för fakturan till {customer} ({date}) är stängd i kundreskontran. {text}",
                "The financial period {period} of the invoice to {customer} ({date}) is closed in the customer ledger. {text}",
            ),
            Text(
                "Öppna perioden eller ändra fakturans datum, och sätt fakturan i överföringsstatus igen.",
                "Open the period or change the invoice's date, and set the invoice to the transfer status again.",
            ),
            Text(
                "Visma.net ERP: Räkenskapsperioder (GL201000)", "Visma.net ERP: Financial periods (GL201000)"
            ),
        ),
        "invoice.number_series": _refused(
            "Nummerserien ger inget nummer.",
            "The number series gives no number.",
            Text("Visma.net ERP: Nummerserier (CS201010)", "Visma.net ERP: Number series (CS201010)"),
        ),
        "invoice.task_refused": _refused(
            "Aktiviteten {task} på projektet {project} kan inte användas.",
            "The task {task} of the project {project} cannot be used.",
            PROJECT,
        ),
        "invoice.project_refused": _refused(
            "Projektet {project} kan inte användas.", "The project {project} cannot be used.", PROJECT
        ),
        "invoice.item_refused": _refused(
            "Artikeln {item} på rad {row} kan inte användas.",
            "The item {item} of row {row} cannot be used.",
            ITEM,
        ),
        "invoice.terms_refused": _refused(
            "Betalningsvillkoret {terms} kan inte användas.",
            "The credit terms {terms} cannot be used.",
            Text("Visma.net ERP: Betalningsvillkor (CS206500)", "Visma.net ERP: Credit terms (CS206500)"),
        ),
        "invoice.currency_refused": _refused(
            "Valutan {currency} eller kursen {rate} kan inte användas.",
            "The currency {currency} or its rate {rate} cannot be used.",
            Text("Visma.net ERP: Valutor (CM202000)", "Visma.net ERP: Currencies (CM202000)"),
        ),
        "invoice.branch_refused": _refused(
            "Företagsgrenen {branch} kan inte användas.",
            "The branch {branch} cannot be used.",
            Text("Visma.net ERP: Företagsgrenar (CS102000)", "Visma.net ERP: Branches (CS102000)"),
        ),
        "invoice.customer_refused": _refused(
            "Kunden {customer} kan inte faktureras.", "The customer {customer} cannot be invoiced.", CUSTOMER
        ),
        "invoice.refused": _refused(
            "Fakturan till {customer} togs inte emot.", "The invoice to {customer} was not accepted.", ERP
        ),
    }
)
