"""Words for people about project costs from supplier invoices and other transactions."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain.explain import Cause, Text

_PROJECT = Text("Severa: Projekt > Projektkostnader.", "Severa: Projects > Project costs.")
_CURRENCIES = Text("Severa: Inställningar > Valutor.", "Severa: Settings > Currencies.")
_DOCUMENTS = Text(
    "Visma.net ERP: Leverantörsfakturor (AP301000), Journaltransaktioner (GL301000).",
    "Visma.net ERP: Purchase invoices (AP301000), Journal transactions (GL301000).",
)
_ACCOUNTS = Text("Visma.net ERP: Kontoplan (GL202500).", "Visma.net ERP: Chart of accounts (GL202500).")
_BOTH = Text(f"{_DOCUMENTS.sv} {_PROJECT.sv}", f"{_DOCUMENTS.en} {_PROJECT.en}")

CAUSES: Mapping[str, Cause] = MappingProxyType(
    {
        "cost.project_closed": Cause(
            wrong=Text(
                "{kind} {number} har en kostnad på projektet {project}, som är stängt i Severa.",
                "{kind_en} {number} has a cost on the project {project}, which is closed in Severa.",
            ),
            do=Text(
                "Öppna projektet och försök igen; stäng det sedan. Eller flytta kostnaden till ett annat projekt i Visma.net ERP.",
                "Open the project and try again; close it afterwards. Or move the cost to another project in Visma.net ERP.",
            ),
            where=_BOTH,
            closes_by_itself=False,
        ),
        "cost.project_gone": Cause(
            wrong=Text(
                "{kind} {number} har en kostnad på ett projekt som inte längre finns i Severa ({guid}).",
                "{kind_en} {number} has a cost on a project that does not exist in Severa any more ({guid}).",
            ),
            do=Text(
                "Kontrollera om projektet har tagits bort; för in kostnaden för hand där den hör hemma.",
                "Check whether the project was removed; enter the cost by hand where it belongs.",
            ),
            where=_BOTH,
            closes_by_itself=False,
        ),
        "cost.document_gone": Cause(
            wrong=Text(
                "{kind} {number} finns inte längre i Visma.net ERP, så inget har förts över från den nu.",
                "{kind_en} {number} is no longer in Visma.net ERP, so that nothing was brought from it now.",
            ),
            do=Text(
                "Ta reda på vem som har tagit bort den; jämför projektets kostnader i Severa.",
                "Find out who removed it; compare the project's costs in Severa.",
            ),
            where=_BOTH,
            closes_by_itself=False,
        ),
        "cost.rate_missing": Cause(
            wrong=Text(
                "{kind} {number}: projektet {project} har valutan {currency}, men Severa har ingen kurs mellan {base} och {currency}.",
                "{kind_en} {number}: the project {project} is in {currency}, but Severa has no rate between {base} and {currency}.",
            ),
            do=Text(
                "Ange en kurs för valutan och försök igen: priset på den vidarefakturerbara avgiften räknas om med den.",
                "Enter a rate for the currency and try again: the price of the billable fee is converted with it.",
            ),
            where=_CURRENCIES,
            closes_by_itself=False,
        ),
        "cost.currency_unknown": Cause(
            wrong=Text(
                "Ingen valuta är angiven för företaget, så kostnader kan inte föras över.",
                "The company has no currency, so that costs cannot be transferred.",
            ),
            do=Text("Ange företagets basvaluta.", "Enter the base currency of the company."),
            where=Text(
                "Visma.net ERP: Organisationer (CS101500). Severa: Inställningar > Valutor.",
                "Visma.net ERP: Organisations (CS101500). Severa: Settings > Currencies.",
            ),
        ),
        "cost.account_unknown": Cause(
            wrong=Text(
                "{kind} {number} är konterad på {account}, men det kontot finns inte i kontoplanen.",
                "{kind_en} {number} is posted on {account}, but the chart of accounts has no such account.",
            ),
            do=Text(
                "Kontrollera kontot: bara rader på kostnadskonton blir projektkostnader.",
                "Check the account: only lines on expense accounts become project costs.",
            ),
            where=_ACCOUNTS,
            closes_by_itself=False,
        ),
        "cost.amount_missing": Cause(
            wrong=Text(
                "{kind} {number}: rad {line} har inget belopp i företagets valuta.",
                "{kind_en} {number}: line {line} has no amount in the company's currency.",
            ),
            do=Text(
                "Kontrollera raden; för in kostnaden för hand om den är rätt.",
                "Check the line; enter the cost by hand if it is right.",
            ),
            where=_BOTH,
            closes_by_itself=False,
        ),
        "cost.vat_unknown": Cause(
            wrong=Text(
                "{kind} {number}: priserna innehåller moms, men momsen på rad {line} går inte att utläsa.",
                "{kind_en} {number}: the prices include VAT, but the VAT of line {line} cannot be told.",
            ),
            do=Text(
                "För in kostnaden utan moms för hand på projektet och markera problemet som löst.",
                "Enter the cost without VAT by hand on the project and mark the problem as done elsewhere.",
            ),
            where=_BOTH,
            closes_by_itself=False,
        ),
        "cost.line_refused": Cause(
            wrong=Text(
                "Severa tog inte emot kostnaden för rad {line} av {kind} {number}: {text}",
                "Severa did not accept the cost of line {line} of {kind_en} {number}: {text}",
            ),
            do=Text(
                "Rätta det som felet nämner på projektet och försök igen.",
                "Correct what the message names on the project and try again.",
            ),
            where=_PROJECT,
            closes_by_itself=False,
        ),
        "cost.not_as_sent": Cause(
            wrong=Text(
                "Kostnaden för rad {line} av {kind} {number} blev inte som den skickades till Severa (skickat / sparat): {differences}",
                "The cost of line {line} of {kind_en} {number} is not in Severa as it was sent (sent / stored): {differences}",
            ),
            do=Text(
                "Rätta kostnaden på projektet. Bryggan för inte över raden igen.",
                "Correct the cost on the project. The bridge does not transfer the line again.",
            ),
            where=_PROJECT,
            closes_by_itself=False,
        ),
        "cost.found_twice": Cause(
            wrong=Text(
                "{kind} {number}: {count} kostnader i Severa har samma märkning {marker}.",
                "{kind_en} {number}: {count} costs in Severa carry the same marker {marker}.",
            ),
            do=Text(
                "Ta bort dem som är för mycket, eller ta bort märkningen ur en kopia som är avsiktlig.",
                "Remove the surplus ones, or take the marker out of a copy that was meant.",
            ),
            where=_PROJECT,
            closes_by_itself=False,
        ),
        "cost.look_alike": Cause(
            wrong=Text(
                "{kind} {number}: svaret uteblev när rad {line} fördes över. Ingen kostnad i Severa har märkningen {marker}, men en ny med samma belopp och datum saknar märkning: {fee}.",
                "{kind_en} {number}: no answer came when line {line} was brought. No cost in Severa carries the marker {marker}, but a new one with the same amount and date has none: {fee}.",
            ),
            do=Text(
                "Är det radens kostnad: skriv {marker} sist i dess beskrivning och försök igen. Annars: ta bort den, lägg in den på nytt och försök igen.",
                "If it is the line's cost: write {marker} at the end of its description and try again. If not: remove it, enter it anew and try again.",
            ),
            where=_PROJECT,
            closes_by_itself=False,
        ),
        "cost.attachment_failed": Cause(
            wrong=Text(
                "Bilagan {file} till {kind} {number} kunde inte läggas till i Severa: {text}",
                "The attachment {file} of {kind_en} {number} could not be added in Severa: {text}",
            ),
            do=Text(
                "Kostnaderna är överförda. Ge anslutningen rättigheten files:write om den saknas och försök igen, eller lägg till filen för hand på projektet.",
                "The costs are transferred. Grant the connection the scope files:write if it lacks it and try again, or add the file to the project by hand.",
            ),
            where=Text("Severa: Projekt > Filer.", "Severa: Projects > Files."),
            closes_by_itself=False,
        ),
        "cost.refused": Cause(
            wrong=Text(
                "{system} tog inte emot ett anrop för kostnaderna av {name}: {text}",
                "{system} did not accept a call for the costs of {name}: {text}",
            ),
            do=Text(
                "Rätta det som felet nämner och försök igen.", "Correct what the message names and try again."
            ),
            where=_BOTH,
        ),
        "cost.not_allowed": Cause(
            wrong=Text(
                "Anslutningen till {system} saknar rättighet för {operation}: {text}",
                "The connection to {system} lacks the right for {operation}: {text}",
            ),
            do=Text(
                "Ge anslutningen rättigheten: kostnader kräver fees:write och projects:read i Severa och rollen API User i Visma.net ERP.",
                "Grant the right to the connection: costs need fees:write and projects:read in Severa and the role API User in Visma.net ERP.",
            ),
            where=Text(
                "Severa: Integrationer > REST API. Visma.net Admin: Roller.",
                "Severa: Integrations > REST API. Visma.net Admin: Roles.",
            ),
        ),
    }
)

SENTENCES: Mapping[str, Text] = MappingProxyType(
    {
        "cost.brought": Text(
            "{kind} {number} ({partner}): {lines} rad(er), {amount} {currency}, blev projektkostnader på {projects}.",
            "{kind_en} {number} ({partner}): {lines} line(s), {amount} {currency}, became project costs of {projects}.",
        ),
        "cost.taken_back": Text(
            "{kind} {number} ({partner}) annullerades: {lines} rad(er), {amount} {currency}, drogs av på {projects}.",
            "{kind_en} {number} ({partner}) was voided: {lines} line(s), {amount} {currency}, were taken back on {projects}.",
        ),
        "cost.files": Text(
            "Bilagor till {kind} {number} ({partner}) lades till på projekten: {files}.",
            "Attachments of {kind_en} {number} ({partner}) were added to the projects: {files}.",
        ),
    }
)
