"""Words for people: every problem and every log line of payments, in Swedish and English."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain.explain import Cause, Text

_ERP = Text("Visma.net ERP: Kundfakturor (AR301000)", "Visma.net ERP: Customer invoices (AR301000)")
_PAYMENTS = Text("Visma.net ERP: Kundinbetalningar (AR302000)", "Visma.net ERP: Customer payments (AR302000)")
_SEVERA = Text("Severa: Fakturor", "Severa: Invoices")
_BY_HAND = Text(
    "Avgör vad som gäller och sätt fakturans status i Severa för hand.",
    "Decide what is right and set the invoice's status in Severa by hand.",
)

CAUSES: Mapping[str, Cause] = MappingProxyType(
    {
        "payment.document_voided": Cause(
            Text(
                "Faktura {number} är annullerad i Visma.net ERP; statusen i Severa är oförändrad.",
                "Invoice {number} is voided in Visma.net ERP; the status in Severa is unchanged.",
            ),
            _BY_HAND,
            _ERP,
        ),
        "payment.document_reserved": Cause(
            Text(
                "Faktura {number} är reserverad i Visma.net ERP; statusen i Severa är oförändrad.",
                "Invoice {number} is reserved in Visma.net ERP; the status in Severa is unchanged.",
            ),
            _BY_HAND,
            _ERP,
        ),
        "payment.document_gone": Cause(
            Text(
                "Faktura {number} finns inte längre i Visma.net ERP; statusen i Severa är oförändrad.",
                "Invoice {number} is no longer in Visma.net ERP; the status in Severa is unchanged.",
            ),
            _BY_HAND,
            _ERP,
        ),
        "payment.invoice_gone": Cause(
            Text(
                "Faktura {number} har tagits bort i Severa men är bokförd i Visma.net ERP.",
                "Invoice {number} was deleted in Severa but is booked in Visma.net ERP.",
            ),
            Text("Kreditera {number} i Visma.net ERP.", "Credit {number} in Visma.net ERP."),
            _ERP,
        ),
        "payment.written_off": Cause(
            Text(
                "Faktura {number} är avskriven med {amount} i Visma.net ERP, mer än gränsen för småbelopp; statusen i Severa är oförändrad.",
                "Invoice {number} was written off by {amount} in Visma.net ERP, more than the small-balance limit; the status in Severa is unchanged.",
            ),
            _BY_HAND,
            _PAYMENTS,
        ),
        "payment.moved_back": Cause(
            Text(
                "Statusen för faktura {number} har flyttats tillbaka till ”{status}” flera gånger det senaste dygnet; bryggan flyttar den inte igen den dagen.",
                "The status of invoice {number} was moved back to “{status}” several times in the last 24 hours; the bridge does not move it again that day.",
            ),
            Text(
                "Ta reda på vad som flyttar den i Severa (en person eller AutoInvoice) och sätt fakturans status för hand, eller försök igen här.",
                "Find out what moves it in Severa (a person or AutoInvoice) and set the invoice's status by hand, or try again here.",
            ),
            _SEVERA,
        ),
        "payment.refused": Cause(
            Text(
                "Severa tog inte emot betalningsstatusen för faktura {number}: {text}",
                "Severa did not accept the payment status of invoice {number}: {text}",
            ),
            Text("Rätta orsaken i Severa och försök igen.", "Repair the cause in Severa and try again."),
            _SEVERA,
        ),
    }
)

SENTENCES: Mapping[str, Text] = MappingProxyType(
    {
        "payment.paid": Text(
            "Faktura {number} på {amount} är betald {date}.",
            "Invoice {number} for {amount} was paid on {date}.",
        ),
        "payment.date_changed": Text(
            "Betalningsdatumet för faktura {number} på {amount} är nu {date}.",
            "The payment date of invoice {number} for {amount} is now {date}.",
        ),
        "payment.partly_paid": Text(
            "Faktura {number} på {amount} är delbetald; {balance} återstår.",
            "Invoice {number} for {amount} is partly paid; {balance} is left.",
        ),
        "payment.part_shown_here": Text(
            "Faktura {number} på {amount} är delbetald, {balance} återstår; Severa har ingen status för delbetalning, så det visas bara här.",
            "Invoice {number} for {amount} is partly paid, {balance} is left; Severa has no status for partial payments, so it shows only here.",
        ),
        "payment.reversed": Text(
            "Betalningen av faktura {number} är återförd; {balance} av {amount} återstår.",
            "The payment of invoice {number} was reversed; {balance} of {amount} is left.",
        ),
        "payment.waits_until_sent": Text(
            "Betalningen av faktura {number} väntar tills fakturan är skickad (nu ”{status}”).",
            "The payment of invoice {number} waits until the invoice is sent (now “{status}”).",
        ),
        "payment.small_write_off": Text(
            "Faktura {number} räknas som betald; {written_off} skrevs av som småbelopp.",
            "Invoice {number} counts as paid; {written_off} was written off as a small balance.",
        ),
        "payment.rounding_balance": Text(
            "Faktura {number} har {balance} öppet, inte mer än skillnaden vid överföringen.",
            "Invoice {number} has {balance} open, no more than the difference at the transfer.",
        ),
    }
)
