"""Words for people: every problem and every log line of invoices, in Swedish and English."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain.explain import Cause, Text
from domain.invoice import explain_doubt, sentences
from domain.invoice.refusal_words import CUSTOMER, ERP, ITEM, PROJECT, REFUSED, SET_AGAIN

__all__ = ["CAUSES", "SENTENCES"]

_SEVERA = Text("Severa: Fakturor", "Severa: Invoices")
_PROBLEMS = Text("Problem", "Problems")

_AGAIN = Text(
    "Rätta fakturan och sätt den i överföringsstatus igen.",
    "Correct the invoice and set it to the transfer status again.",
)
_GOES_ON = Text(
    "Rätta det felet först; fakturan ligger kvar i överföringsstatus och fortsätter sedan av sig själv.",
    "Solve that problem first; the invoice stays in the transfer status and then goes on by itself.",
)


SENTENCES: Mapping[str, Text] = MappingProxyType({**sentences.SENTENCES, **explain_doubt.SENTENCES})

CAUSES: Mapping[str, Cause] = MappingProxyType(
    {
        **explain_doubt.CAUSES,
        # ---------------------------------------------------- the invoice as it stands
        "invoice.no_rows": Cause(
            Text("Fakturan till {customer} har inga rader.", "The invoice to {customer} has no rows."),
            _AGAIN,
            _SEVERA,
        ),
        "invoice.no_date": Cause(
            Text("Fakturan till {customer} har inget datum.", "The invoice to {customer} has no date."),
            _AGAIN,
            _SEVERA,
        ),
        "invoice.negative_total": Cause(
            Text(
                "Fakturan till {customer} har ett negativt totalbelopp, {total}.",
                "The invoice to {customer} has a negative total, {total}.",
            ),
            Text("Gör den till en kreditfaktura.", "Make it a credit note."),
            _SEVERA,
        ),
        "invoice.several_projects": Cause(
            Text(
                "Fakturan till {customer} gäller flera projekt ({projects}); Visma.net ERP har ett projekt per faktura.",
                "The invoice to {customer} is for several projects ({projects}); Visma.net ERP has one project per invoice.",
            ),
            Text(
                "Dela upp fakturan på en per projekt, eller välj att det största projektet gäller (inställningen several_projects).",
                "Split it into one invoice per project, or choose that the largest project counts (setting several_projects).",
            ),
            _SEVERA,
        ),
        "invoice.project_closed": Cause(
            Text(
                "Projektet {project} för fakturan till {customer} är avslutat i Visma.net ERP (status {status}).",
                "The project {project} of the invoice to {customer} is closed in Visma.net ERP (status {status}).",
            ),
            Text(
                "Sätt projektet aktivt eller slå på inställningen reopen_projects, och sätt fakturan i överföringsstatus igen.",
                "Set the project active or switch on the setting reopen_projects, and set the invoice to the transfer status again.",
            ),
            PROJECT,
        ),
        "invoice.company_differs": Cause(
            Text(
                "Fakturan till {customer} säljs av {company}, men {other} hör till ett annat företag.",
                "The invoice to {customer} is sold by {company}, but {other} belongs to another company.",
            ),
            Text(
                "Rätta projektets avdelning eller fakturans avsändare och sätt fakturan i överföringsstatus igen.",
                "Correct the project's business unit or the invoice's sender and set the invoice to the transfer status again.",
            ),
            Text(
                "Severa: Inställningar > Organisation > Avdelningar",
                "Severa: Settings > Organization > Business units",
            ),
        ),
        "invoice.row_without_code": Cause(
            Text(
                "Rad {row} på fakturan till {customer} har ingen kod för produkt, arbetstyp eller resekostnad.",
                "Row {row} of the invoice to {customer} has no code of a product, work type or travel expense.",
            ),
            Text(
                "Ge produkten, arbetstypen eller resekostnaden en kod, eller välj en artikel för {row_type} med {rate} % moms "
                "(inställningen fallback_items), och sätt fakturan i överföringsstatus igen.",
                "Give the product, work type or travel expense a code, or choose an item for {row_type} with {rate} % VAT "
                "(setting fallback_items), and set the invoice to the transfer status again.",
            ),
            Text("Severa: Inställningar > Register", "Severa: Settings > Registers"),
        ),
        "invoice.grouped_row": Cause(
            Text(
                "Rad {row} på fakturan till {customer} samlar flera koder ({codes}) med olika moms eller konto, "
                "och posterna bakom den blir inte radens belopp.",
                "Row {row} of the invoice to {customer} groups several codes ({codes}) with different VAT or accounts, "
                "and the items behind it do not add up to its amount.",
            ),
            Text(
                "Gruppera raderna per kod i fakturans inställningar och sätt den i överföringsstatus igen.",
                "Group the rows by code in the invoice's settings and set it to the transfer status again.",
            ),
            _SEVERA,
        ),
        "invoice.item_unknown": Cause(
            Text(
                "Koden {code} på rad {row} finns inte i något av Severas register.",
                "The code {code} of row {row} is in none of Severa's registers.",
            ),
            _AGAIN,
            _SEVERA,
        ),
        "invoice.fallback_unknown": Cause(
            Text(
                "Rad {row} på fakturan till {customer} har ingen kod, och artikeln {item} som är vald för {key} finns inte i Visma.net ERP.",
                "Row {row} of the invoice to {customer} has no code, and the item {item} chosen for {key} is not in Visma.net ERP.",
            ),
            Text(
                "Lägg upp artikeln {item}, eller välj en annan för {key} (inställningen fallback_items), och sätt fakturan i överföringsstatus igen.",
                "Create the item {item}, or choose another for {key} (setting fallback_items), and set the invoice to the transfer status again.",
            ),
            ITEM,
        ),
        "invoice.price_currency": Cause(
            Text(
                "Rad {row} har pris i {row_currency} men fakturan till {customer} är i {currency}.",
                "Row {row} is priced in {row_currency} but the invoice to {customer} is in {currency}.",
            ),
            _AGAIN,
            _SEVERA,
        ),
        "invoice.has_number": Cause(
            Text(
                "Fakturan till {customer} har redan nummer {number} fast den inte är överförd härifrån.",
                "The invoice to {customer} already has number {number} although it was not transferred from here.",
            ),
            Text(
                "Är den bokförd redan ska den stå i en senare status; annars ta bort numret och överför igen.",
                "If it is booked already it belongs in a later status; else remove the number and transfer again.",
            ),
            _SEVERA,
        ),
        "invoice.country_unknown": Cause(
            Text(
                "Landet ”{country}” i adressen på fakturan till {customer} känns inte igen.",
                "The country “{country}” in the address of the invoice to {customer} is not known.",
            ),
            _AGAIN,
            _SEVERA,
        ),
        "invoice.branch_unknown": Cause(
            Text(
                "Ingen företagsgren i Visma.net ERP har säljarens momsregistreringsnummer {vat_number}.",
                "No branch in Visma.net ERP has the seller's VAT number {vat_number}.",
            ),
            SET_AGAIN,
            Text("Visma.net ERP: Företagsgrenar (CS102000)", "Visma.net ERP: Branches (CS102000)"),
        ),
        # ---------------------------------------------------- what it needs
        "invoice.customer_in_error": Cause(
            Text("Kunden {name} har själv ett fel.", "The customer {name} is itself in error."),
            _GOES_ON,
            _PROBLEMS,
        ),
        "invoice.project_in_error": Cause(
            Text("Projektet {name} har själv ett fel.", "The project {name} is itself in error."),
            _GOES_ON,
            _PROBLEMS,
        ),
        "invoice.item_in_error": Cause(
            Text(
                "Artikeln {name} på rad {row} har själv ett fel.",
                "The item {name} of row {row} is itself in error.",
            ),
            _GOES_ON,
            _PROBLEMS,
        ),
        "invoice.original_in_error": Cause(
            Text(
                "Fakturan som kreditfakturan gäller ({name}) är inte bokförd: den har ett eget problem.",
                "The invoice that the credit note is for ({name}) is not booked: it has a problem of its own.",
            ),
            Text(
                "Lös det problemet först; kreditfakturan ligger kvar i överföringsstatus och fortsätter sedan av sig själv.",
                "Solve that problem first; the credit note stays in the transfer status and then goes on by itself.",
            ),
            _PROBLEMS,
        ),
        "invoice.original_unknown": Cause(
            Text(
                "Fakturan som kreditfakturan gäller ({name}) är inte bokförd: bryggan har aldrig sett den i Severa.",
                "The invoice that the credit note is for ({name}) is not booked: the bridge has never seen it in Severa.",
            ),
            Text(
                "Kontrollera att fakturan finns i Severa och att anslutningen får läsa den; kreditfakturan fortsätter sedan av sig själv.",
                "See that the invoice is there in Severa and that the connection may read it; the credit note then goes on by itself.",
            ),
            _SEVERA,
        ),
        "invoice.original_not_booked": Cause(
            Text(
                "Fakturan som kreditfakturan gäller ({name}) är inte bokförd: den väntar inte på överföring och har inget nummer.",
                "The invoice that the credit note is for ({name}) is not booked: it does not wait for its transfer and has no number.",
            ),
            Text(
                "Sätt den fakturan i överföringsstatus först; kreditfakturan fortsätter sedan av sig själv. Är den bokförd på annat sätt, skriv in dess nummer i Severa.",
                "Set that invoice to the transfer status first; the credit note then goes on by itself. If it is booked in another way, type its number in Severa.",
            ),
            _SEVERA,
        ),
        "invoice.held_for_review": Cause(
            Text(
                "Fakturan till {customer} på {total} (netto {net}, moms {tax}) väntar på granskning. "
                "Moms: {vat}. Konton: {accounts}. Projekt {project}.",
                "The invoice to {customer} for {total} (net {net}, VAT {tax}) waits for review. "
                "VAT: {vat}. Accounts: {accounts}. Project {project}.",
            ),
            Text(
                "Granska och släpp den i bryggan. Ska den ändras, flytta den ur överföringsstatus.",
                "Review it and let it go in the bridge. To change it, move it out of the transfer status.",
            ),
            _PROBLEMS,
        ),
        # ---------------------------------------------------- totals
        "invoice.vat_would_differ": Cause(
            Text(
                "Totalbeloppet {severa_total} stämmer, men momsen skulle bli en annan i Visma.net ERP. "
                "Moms i Severa: {severa_vat}. Moms i Visma.net ERP: {erp_vat}. "
                "Troligast är rad {row}: {row_severa_rate} % i Severa, {row_erp_rate} % i Visma.net ERP.",
                "The total {severa_total} agrees, but the VAT would be another one in Visma.net ERP. "
                "VAT in Severa: {severa_vat}. VAT in Visma.net ERP: {erp_vat}. "
                "Most likely it is row {row}: {row_severa_rate} % in Severa, {row_erp_rate} % in Visma.net ERP.",
            ),
            Text(
                "Rätta raderna med felaktig momsprocent och sätt fakturan i överföringsstatus igen. Ingenting har bokförts.",
                "Correct the rows with the wrong VAT percentage and set the invoice to the transfer status again. Nothing was booked.",
            ),
            _SEVERA,
        ),
        "invoice.total_would_differ": Cause(
            Text(
                "Totalbeloppet är {severa_total} i Severa men skulle bli {erp_total} i Visma.net ERP (skillnad {difference}). "
                "Moms i Severa: {severa_vat}. Moms i Visma.net ERP: {erp_vat}. "
                "Troligast är rad {row}: {row_severa_rate} % i Severa, {row_erp_rate} % i Visma.net ERP.",
                "The total is {severa_total} in Severa but would be {erp_total} in Visma.net ERP (difference {difference}). "
                "VAT in Severa: {severa_vat}. VAT in Visma.net ERP: {erp_vat}. "
                "Most likely it is row {row}: {row_severa_rate} % in Severa, {row_erp_rate} % in Visma.net ERP.",
            ),
            Text(
                "Rätta raden med felaktig momsprocent och sätt fakturan i överföringsstatus igen. Ingenting har bokförts.",
                "Correct the row with the wrong VAT percentage and set the invoice to the transfer status again. Nothing was booked.",
            ),
            _SEVERA,
        ),
        "invoice.total_differs": Cause(
            Text(
                "Totalbeloppet är {severa_total} i Severa men blev {erp_total} i Visma.net ERP (skillnad {difference}). "
                "Moms i Severa: {severa_vat}. Moms i Visma.net ERP: {erp_vat}. Skiljer sig: {reasons}. Troligast är rad {row}.",
                "The total is {severa_total} in Severa but became {erp_total} in Visma.net ERP (difference {difference}). "
                "VAT in Severa: {severa_vat}. VAT in Visma.net ERP: {erp_vat}. Different: {reasons}. Most likely it is row {row}.",
            ),
            Text(
                "Kontrollera fakturaraderna, rätta raden med felaktig momsprocent och sätt fakturan i överföringsstatus igen. "
                "Dokumentet i Visma.net ERP är borttaget.",
                "Check the invoice rows, correct the one with the wrong VAT percentage and set the invoice to the transfer status again. "
                "The document in Visma.net ERP has been removed.",
            ),
            _SEVERA,
        ),
        "invoice.content_differs": Cause(
            Text(
                "Dokumentet i Visma.net ERP blev inte som fakturan till {customer} (Severa / Visma.net ERP): {reasons}.",
                "The document in Visma.net ERP did not become what the invoice to {customer} says (Severa / Visma.net ERP): {reasons}.",
            ),
            Text(
                "Rätta orsaken och sätt fakturan i överföringsstatus igen. Dokumentet i Visma.net ERP är borttaget.",
                "Repair the cause and set the invoice to the transfer status again. The document in Visma.net ERP has been removed.",
            ),
            ERP,
        ),
        **REFUSED,
        "invoice.not_allowed": Cause(
            Text(
                "Bryggan får inte göra detta i Visma.net ERP ({operation}): {text}",
                "The bridge may not do this in Visma.net ERP ({operation}): {text}",
            ),
            Text(
                "Ge kopplingen den rättighet som saknas; fakturan ligger kvar i överföringsstatus.",
                "Give the connection the right that is missing; the invoice stays in the transfer status.",
            ),
            Text("Inställningar > Kopplingar", "Settings > Connections"),
        ),
        "invoice.not_releasable": Cause(
            Text(
                "Fakturan till {customer} kunde inte frisläppas: status {status}. {text}",
                "The invoice to {customer} could not be released: status {status}. {text}",
            ),
            Text(
                "Stäng av kravet på utskrift, e-post eller kreditkontroll för kunden och sätt fakturan i överföringsstatus igen.",
                "Switch off the demand for printing, e-mail or a credit check for the customer and set the invoice to the transfer status again.",
            ),
            CUSTOMER,
        ),
        "invoice.not_removed": Cause(
            Text(
                "Dokument {number} är inte frisläppt men gick inte att ta bort: {text}",
                "Document {number} is not released but could not be removed: {text}",
            ),
            Text(
                "Ta bort dokumentet i Visma.net ERP och försök igen här.",
                "Remove the document in Visma.net ERP and try again here.",
            ),
            ERP,
        ),
        "invoice.comes_back": Cause(
            Text(
                "Dokument {number} har tagits bort {times} gånger men finns kvar i Visma.net ERP, inte frisläppt.",
                "Document {number} was removed {times} times but still stands in Visma.net ERP, not released.",
            ),
            Text(
                "Ta bort dokumentet i Visma.net ERP och försök igen här.",
                "Remove the document in Visma.net ERP and try again here.",
            ),
            ERP,
        ),
        # ---------------------------------------------------- booked already
        "invoice.already_booked": Cause(
            Text(
                "Fakturan till {customer} är redan bokförd som {number}, och Severa säger nu något annat.",
                "The invoice to {customer} is already booked as {number}, and Severa now says something else.",
            ),
            Text(
                "Kreditera {number} och gör en ny faktura; den bokförda skapas aldrig igen.",
                "Credit {number} and make a new invoice; the booked one is never created again.",
            ),
            ERP,
        ),
        "invoice.booked_not_numbered": Cause(
            Text(
                "Fakturan till {customer} är bokförd som {number}, men Severa visar inte: {fields} (numret där: {severa_number}). {text}",
                "The invoice to {customer} is booked as {number}, but Severa does not show: {fields} (its number there: {severa_number}). {text}",
            ),
            Text(
                "Fakturan står i överföringsstatus så att ingen skickar den. Försök igen, eller skriv in numret i Severa.",
                "The invoice is in the transfer status so that nobody sends it. Try again, or type the number in Severa.",
            ),
            _SEVERA,
        ),
        "invoice.attachment_failed": Cause(
            Text(
                "Bilagor till faktura {number} kunde inte skickas till Visma.net ERP: {files}. Fakturan är bokförd och numrerad.",
                "Attachments of invoice {number} could not be sent to Visma.net ERP: {files}. The invoice is booked and numbered.",
            ),
            Text(
                "Försök igen här, eller lägg bilagan på fakturan i Visma.net ERP för hand.",
                "Try again here, or put the attachment on the invoice in Visma.net ERP by hand.",
            ),
            ERP,
        ),
        "invoice.moved_after_booking": Cause(
            Text(
                "Fakturan till {customer} är bokförd som {number} men flyttades under tiden till ”{status}” i Severa.",
                "The invoice to {customer} is booked as {number} but was moved to “{status}” in Severa meanwhile.",
            ),
            Text(
                "Sätt den i överföringsstatus igen: är den oförändrad får den nummer och status.",
                "Set it to the transfer status again: if it is unchanged it gets number and status.",
            ),
            _SEVERA,
        ),
        "invoice.sent_unnumbered": Cause(
            Text(
                "Fakturan till {customer} är bokförd som {number} men flyttades till ”{status}” i Severa innan den hade fått numret.",
                "The invoice to {customer} is booked as {number} but was moved to “{status}” in Severa before it had that number.",
            ),
            Text(
                "Numret {number} står nu i Severa. Kontrollera vilket nummer kunden har fått och försök sedan igen här.",
                "Number {number} stands in Severa now. Check which number the customer got, then try again here.",
            ),
            _SEVERA,
        ),
        "invoice.sent_unbooked": Cause(
            Text(
                "Fakturan till {customer} flyttades till ”{status}” i Severa medan den bokfördes. Den finns inte i Visma.net ERP.",
                "The invoice to {customer} was moved to “{status}” in Severa while it was being booked. It is not in Visma.net ERP.",
            ),
            Text(
                "Är den inte skickad, ta bort numret och sätt den i överföringsstatus. Är den skickad, bokför den för hand i "
                "Visma.net ERP och försök sedan igen här.",
                "If it was not sent, remove the number and set it to the transfer status. If it was sent, book it by hand in "
                "Visma.net ERP, then try again here.",
            ),
            _SEVERA,
        ),
        "invoice.document_gone": Cause(
            Text(
                "Dokument {number} var frisläppt men finns inte längre i Visma.net ERP.",
                "Document {number} was released but is no longer in Visma.net ERP.",
            ),
            Text("Ta reda på vem som har tagit bort det.", "Find out who removed it."),
            ERP,
        ),
        "invoice.deleted_in_severa": Cause(
            Text(
                "Fakturan till {customer} är bokförd som {number} men har tagits bort i Severa.",
                "The invoice to {customer} is booked as {number} but was deleted in Severa.",
            ),
            Text("Kreditera {number} i Visma.net ERP.", "Credit {number} in Visma.net ERP."),
            ERP,
        ),
        "invoice.other_document": Cause(
            Text(
                "Fakturan har redan dokument {other}; {number} frisläpps inte.",
                "The invoice already has document {other}; {number} is not released.",
            ),
            Text(
                "Jämför dokumenten och ta bort det överflödiga.",
                "Compare the documents and remove the surplus one.",
            ),
            ERP,
            closes_by_itself=False,
        ),
        "invoice.in_doubt": Cause(
            Text(
                "Det går inte att avgöra om fakturan till {customer} är bokförd. Kandidater: {candidates}.",
                "It cannot be told whether the invoice to {customer} is booked. Candidates: {candidates}.",
            ),
            Text(
                "Avgör vilket dokument som är fakturans; ingenting skapas förrän det är klart.",
                "Decide which document is the invoice's; nothing is created before that.",
            ),
            ERP,
        ),
    }
)
