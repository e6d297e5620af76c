"""What the transfer log says of invoices, and the reasons of the gap list, in Swedish and English."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain.explain import Text

SENTENCES: Mapping[str, Text] = MappingProxyType(
    {
        "invoice.transferred": Text(
            "Fakturan till {customer} på {total} är bokförd som {number}.",
            "The invoice to {customer} for {total} is booked as {number}.",
        ),
        "invoice.credit_note_transferred": Text(
            "Kreditfakturan till {customer} på {total} är bokförd som {number}.",
            "The credit note to {customer} for {total} is booked as {number}.",
        ),
        "invoice.restored": Text(
            "Fakturan till {customer} var redan bokförd som {number}; nummer och status är återställda i Severa.",
            "The invoice to {customer} was already booked as {number}; number and status are restored in Severa.",
        ),
        "invoice.difference": Text(
            "Faktura {number} skiljer sig med {difference} mellan systemen, inom det tillåtna.",
            "Invoice {number} differs by {difference} between the systems, within what is allowed.",
        ),
        "invoice.proof_warning": Text(
            "Faktura {number}, skillnader inom det tillåtna (Severa / Visma.net ERP): {differences}.",
            "Invoice {number}, differences within what is allowed (Severa / Visma.net ERP): {differences}.",
        ),
        "invoice.text_cut": Text(
            "Fakturatexten är avkortad till {limit} tecken.",
            "The invoice text was cut to {limit} characters.",
        ),
        "invoice.description_cut": Text(
            "Texten på rad {row} är avkortad till {limit} tecken.",
            "The text of row {row} was cut to {limit} characters.",
        ),
        "invoice.no_payment_reference": Text(
            "Visma.net ERP gav faktura {number} ingen betalningsreferens; Severas egen står kvar.",
            "Visma.net ERP gave invoice {number} no payment reference; Severa's own stays.",
        ),
        "invoice.status_not_written": Text(
            "Statusen ”{status}” gick inte att sätta i Severa: {text}",
            "The status “{status}” could not be set in Severa: {text}",
        ),
        "invoice.several_projects_one": Text(
            "Fakturan gäller flera projekt och bokförs på {project}, det största; de andra är {others}.",
            "The invoice is for several projects and is booked on {project}, the largest; the others are {others}.",
        ),
        "invoice.project_reopened": Text(
            "Projektet {project} ({status}) är satt aktivt för en sen faktura eller kreditfaktura.",
            "The project {project} ({status}) was set Active for a late invoice or credit note.",
        ),
        "invoice.project_closed_again": Text(
            "Projektet {project} är satt tillbaka till {status}.",
            "The project {project} was set back to {status}.",
        ),
        "invoice.project_left_open": Text(
            "Projektet {project} gick inte att sätta tillbaka till {status}: {text}",
            "The project {project} could not be set back to {status}: {text}",
        ),
        "invoice.country_differs": Text(
            "Adressen på faktura {number} är i {country}, men kundens plats är i {location}: platsen avgör momsen.",
            "The address of invoice {number} is in {country}, but the customer's location is in {location}: the location decides the VAT.",
        ),
        "invoice.attached": Text(
            "Bilagor till faktura {number} är skickade till Visma.net ERP: {files}.",
            "Attachments of invoice {number} were sent to Visma.net ERP: {files}.",
        ),
        "invoice.withdrawn": Text(
            "Fakturan togs ur överföringen i Severa (”{status}”); dokument {number} är borttaget.",
            "The invoice was taken out of the transfer in Severa (“{status}”); document {number} was removed.",
        ),
        "invoice.removed_again": Text(
            "Dokument {number} fanns kvar i Visma.net ERP fast det var borttaget; det är borttaget igen.",
            "Document {number} still stood in Visma.net ERP although it had been removed; it was removed again.",
        ),
        "invoice.credit_left_open": Text(
            "Kreditfaktura {number} är inte kvittad mot {original}.",
            "Credit note {number} was not applied to {original}.",
        ),
        # Reasons of the gap list that are no problems; the log says them too.
        "invoice.changed": Text(
            "Fakturan ändrades i Severa innan dokument {number} frisläpptes; dokumentet är borttaget.",
            "The invoice was changed in Severa before document {number} was released; the document was removed.",
        ),
        "invoice.removed_by_others": Text(
            "Dokument {number} togs bort i Visma.net ERP innan det frisläpptes.",
            "Document {number} was removed in Visma.net ERP before it was released.",
        ),
        "invoice.gap_unexplained": Text(
            "Dokument {number} togs bort innan det frisläpptes; värdena som förklarar orsaken {code} sparades inte då.",
            "Document {number} was removed before it was released; the values that explain the cause {code} were not kept then.",
        ),
        "invoice.doubled": Text(
            "Fakturan hade två dokument; det överflödiga är borttaget.",
            "The invoice had two documents; the surplus one was removed.",
        ),
    }
)
