"""Words for people: documents that bear our marker and are not ours, and what a person is asked to decide."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain.explain import Cause, Text

_SEVERA = Text("Severa: Fakturor", "Severa: Invoices")
_ERP = Text("Visma.net ERP: Kundfakturor (AR301000)", "Visma.net ERP: Customer invoices (AR301000)")
_PROBLEMS = Text("Problem", "Problems")

CAUSES: Mapping[str, Cause] = MappingProxyType(
    {
        "invoice.changed_since_review": Cause(
            Text(
                "Fakturan till {customer} har ändrats sedan den släpptes: netto {net}, moms {tax}, totalt {total}. "
                "Moms per sats: {vat}. Konton: {accounts}. Projekt {project}, företagsgren {branch}.",
                "The invoice to {customer} was changed since it was released: net {net}, VAT {tax}, total {total}. "
                "VAT per rate: {vat}. Accounts: {accounts}. Project {project}, branch {branch}.",
            ),
            Text(
                "Granska den som den är nu och släpp den igen, eller ta ut den ur överföringsstatus.",
                "Review it as it is now and release it again, or take it out of the transfer status.",
            ),
            _PROBLEMS,
        ),
        "invoice.foreign_writer": Cause(
            Text(
                "Dokument {number} i Visma.net ERP bär märkningen för fakturan till {customer}, men skrevs av en annan installation "
                "({installation}; denna heter {own}). Inget mer skrivs för företaget förrän någon har tittat.",
                "Document {number} in Visma.net ERP bears the marker of the invoice to {customer}, but another installation wrote it "
                "({installation}; this one is {own}). Nothing more is written for the company until somebody has looked.",
            ),
            Text(
                "Ta reda på vilka installationer som är kopplade till företagen, och stäng av alla utom en.",
                "Find out which installations are connected to the companies, and switch off all but one.",
            ),
            _ERP,
            closes_by_itself=False,
        ),
        "invoice.chosen_differs": Cause(
            Text(
                "Dokument {number}, som valdes för fakturan till {customer}, går inte att använda: det finns inte, hör till en annan "
                "faktura eller säger något annat ({reasons}).",
                "Document {number}, which was chosen for the invoice to {customer}, cannot be used: it does not exist, belongs to "
                "another invoice or says something else ({reasons}).",
            ),
            Text(
                "Rätta dokumentet i Visma.net ERP eller välj på nytt. Bryggan tar inte bort det.",
                "Correct the document in Visma.net ERP or choose again. The bridge does not remove it.",
            ),
            _ERP,
            closes_by_itself=False,
        ),
        "invoice.make_needs_transfer": Cause(
            Text(
                "Fakturan till {customer} ska göras om i Visma.net ERP, men står i status {status}.",
                "The invoice to {customer} is to be made again in Visma.net ERP, but has the status {status}.",
            ),
            Text(
                "Sätt fakturan i överföringsstatus och besluta på nytt.",
                "Set the invoice to the transfer status and decide again.",
            ),
            _SEVERA,
        ),
    }
)

SENTENCES: Mapping[str, Text] = MappingProxyType(
    {
        "invoice.copied": Text(
            "Dokument {number} i Visma.net ERP är en kopia av {original} med samma märkning. Det lämnas orört.",
            "Document {number} in Visma.net ERP is a copy of {original} with the same marker. It is left alone.",
        ),
        "invoice.marked_unknown": Text(
            "Dokument {number} i Visma.net ERP bär fakturans märkning, men bryggan har inte gjort det. Det lämnas orört.",
            "Document {number} in Visma.net ERP bears the invoice's marker, but the bridge did not make it. It is left alone.",
        ),
    }
)

# Said by 0.1.0 only; rows of its transfer log still have them. The project's own delivery tells it now.
FORMER = frozenset({"invoice.project_reopened", "invoice.project_closed_again", "invoice.project_left_open"})
