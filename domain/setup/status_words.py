"""Words for people about the set-up of invoice statuses: what breaks a rule, what is only a warning, and AutoInvoice's
check list."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain.explain import Cause, Text

AUTOINVOICE_CHECKS: Mapping[str, Text] = MappingProxyType(
    {
        "from": Text(
            "AutoInvoice: status för fakturor som ska överföras är ”{status}”.",
            "AutoInvoice: the status of invoices to transfer is “{status}”.",
        ),
        "after": Text(
            "AutoInvoice: status för fakturor efter överföring är ”{status}”.",
            "AutoInvoice: the status of invoices after the transfer is “{status}”.",
        ),
        "error": Text(
            "AutoInvoice: status på fakturor vid fel är varken {status} eller någon annan status före överföringen; märk den här så att den lämnas utanför.",
            "AutoInvoice: the status of invoices in error is neither {status} nor any other status before the transfer; mark it here so that it is left out.",
        ),
        "all": Text(
            "Visma.net ERP skickar inga fakturor: Skicka alla projektfakturor från Severa till AutoInvoice är på.",
            "Visma.net ERP sends no invoices: Send all project invoices from Severa to AutoInvoice is on.",
        ),
        "first": Text(
            "AutoInvoice är uppsatt före bryggan.",
            "AutoInvoice is set up before the bridge.",
        ),
        "own": Text(
            "Visma.net ERP:s egen Severa-integration är avstängd.",
            "Visma.net ERP's own Severa integration is off.",
        ),
    }
)

_PAGE = Text(
    "Severa: Inställningar > Fakturering > Fakturastatusar", "Severa: Settings > Invoicing > Invoice statuses"
)

CAUSES: Mapping[str, Cause] = MappingProxyType(
    {
        "statuses.none": Cause(
            Text("Severa har inga aktiva fakturastatusar.", "Severa has no active invoice statuses."),
            Text(
                "Lägg upp fakturastatusarna enligt något av guidens exempel.",
                "Set the invoice statuses up as in one of the guide's examples.",
            ),
            _PAGE,
        ),
        "statuses.no_number": Cause(
            Text(
                "Ingen fakturastatus har kryss för Fakturanummer; den sista är ”{last}”.",
                "No invoice status has Invoice number ticked; the last one is “{last}”.",
            ),
            Text(
                "Kryssa i Fakturanummer på statusen för fakturor som har skickats till Visma.net ERP och på alla därefter.",
                "Tick Invoice number on the status of invoices sent to Visma.net ERP and on all that follow.",
            ),
            _PAGE,
        ),
        "statuses.no_transfer": Cause(
            Text(
                "Det finns ingen status för överföring: före ”{transferred}”, den första med Fakturanummer, står bara ”{failed}”.",
                "There is no status for the transfer: only “{failed}” stands before “{transferred}”, the first one with an invoice number.",
            ),
            Text(
                "Lägg en status utan Fakturanummer, Ej redigerbar, direkt före ”{transferred}”, och en för misslyckade fakturor allra först.",
                "Put a status without an invoice number, not editable, right before “{transferred}”, and one for failed invoices first of all.",
            ),
            _PAGE,
        ),
        "statuses.no_paid": Cause(
            Text(
                "Ingen fakturastatus har kryss för Betalad; den sista är ”{last}”.",
                "No invoice status has Paid ticked; the last one is “{last}”.",
            ),
            Text("Kryssa i Betalad på den sista statusen.", "Tick Paid on the last status."),
            _PAGE,
        ),
        "statuses.no_sent": Cause(
            Text(
                "Det finns ingen status för skickade fakturor mellan ”{transferred}” och ”{paid}”.",
                "There is no status for sent invoices between “{transferred}” and “{paid}”.",
            ),
            Text(
                "Lägg en status med Fakturanummer och Skickad mellan dem.",
                "Put a status with Invoice number and Sent between them.",
            ),
            _PAGE,
        ),
        "statuses.failed_is_default": Cause(
            Text(
                "”{status}” är den första statusen och därmed den för misslyckade fakturor, men den är också standardstatus.",
                "“{status}” is the first status, so the one for failed invoices, but it is also the default.",
            ),
            Text(
                "Gör en annan status till standard, eller lägg en status för misslyckade fakturor före den.",
                "Make another status the default, or put a status for failed invoices before it.",
            ),
            _PAGE,
        ),
        "statuses.transfer_editable": Cause(
            Text(
                "”{status}” är statusen för överföring, men den saknar kryss för Ej redigerbar.",
                "“{status}” is the status for the transfer, but Not editable is not ticked.",
            ),
            Text("Kryssa i Ej redigerbar på ”{status}”.", "Tick Not editable on “{status}”."),
            _PAGE,
        ),
        "statuses.number_missing": Cause(
            Text(
                "”{status}” kommer efter ”{transferred}” men saknar kryss för Fakturanummer.",
                "“{status}” comes after “{transferred}” but Invoice number is not ticked.",
            ),
            Text(
                "Kryssa i Fakturanummer på ”{status}”, eller märk den här som AutoInvoices felstatus så att den lämnas utanför.",
                "Tick Invoice number on “{status}”, or mark it here as AutoInvoice's error status so that it is left out.",
            ),
            _PAGE,
        ),
        "statuses.number_too_early": Cause(
            Text(
                "”{status}” har kryss för Fakturanummer men kommer före överföringen.",
                "“{status}” has Invoice number ticked but comes before the transfer.",
            ),
            Text("Ta bort krysset för Fakturanummer på ”{status}”.", "Untick Invoice number on “{status}”."),
            _PAGE,
        ),
        "statuses.role_unknown": Cause(
            Text(
                "Rollen {role} är satt för hand till statusen {status}, som inte finns bland Severas aktiva fakturastatusar.",
                "The role {role} is set by hand to the status {status}, which is not among Severa's active invoice statuses.",
            ),
            Text(
                "Välj en aktiv status för rollen {role} i inställningen status_roles, eller ta bort rollen där så att den följer av ordningen.",
                "Choose an active status for the role {role} in the setting status_roles, or remove the role there so that it follows from the order.",
            ),
            _PAGE,
        ),
        "statuses.role_order": Cause(
            Text(
                "Rollen {role} har statusen ”{status}”, som inte kommer före ”{later}” med rollen {later_role}; rollen {set} är satt för hand. "
                "Ordningen är failed, transfer, transferred, sent, partly_paid, paid, med en egen status för varje roll.",
                "The role {role} has the status “{status}”, which does not come before “{later}” with the role {later_role}; the role {set} is set by hand. "
                "The order is failed, transfer, transferred, sent, partly_paid, paid, with a status of its own for each role.",
            ),
            Text(
                "Välj en annan status för rollen {set} i inställningen status_roles, eller ta bort rollen där så att den följer av ordningen.",
                "Choose another status for the role {set} in the setting status_roles, or remove the role there so that it follows from the order.",
            ),
            _PAGE,
        ),
        "statuses.paid_not_paid": Cause(
            Text(
                "”{status}” har rollen paid, satt för hand, men saknar kryss för Betalad.",
                "“{status}” has the role paid, set by hand, but Paid is not ticked.",
            ),
            Text(
                "Kryssa i Betalad på ”{status}”, eller ta bort rollen paid ur inställningen status_roles.",
                "Tick Paid on “{status}”, or remove the role paid from the setting status_roles.",
            ),
            _PAGE,
        ),
        "statuses.paid_too_early": Cause(
            Text(
                "”{status}” har kryss för Betalad men kommer före ”{paid}”, som har rollen paid, satt för hand.",
                "“{status}” has Paid ticked but comes before “{paid}”, which has the role paid, set by hand.",
            ),
            Text(
                "Ta bort krysset för Betalad på ”{status}”, eller ta bort rollen paid ur inställningen status_roles.",
                "Untick Paid on “{status}”, or remove the role paid from the setting status_roles.",
            ),
            _PAGE,
        ),
        "statuses.partly_paid_not_sent": Cause(
            Text(
                "”{status}” står före den betalda statusen och är därmed den för delbetalda fakturor, men saknar kryss för Skickad.",
                "“{status}” stands before the paid status, so it is the one for partly paid invoices, but Sent is not ticked.",
            ),
            Text("Kryssa i Skickad på ”{status}”.", "Tick Sent on “{status}”."),
            _PAGE,
        ),
    }
)

SENTENCES: Mapping[str, Text] = MappingProxyType(
    {
        "statuses.credit_note_default": Text(
            "Standardstatus för kreditfaktura är ”{status}”; den bör vara ”{transfer}”, så att kreditfakturor överförs.",
            "The default status of credit notes is “{status}”; it should be “{transfer}”, so that they are transferred.",
        ),
        "statuses.severa_numbers_credit_notes": Text(
            "Severa numrerar kreditfakturor självt. Bocka ur Generera fakturanummer för kreditfakturor under Inställningar > Fakturering > Faktureringsinställningar.",
            "Severa numbers credit notes itself. Untick Generate invoice numbers for credit notes under Settings > Invoicing > Invoice settings.",
        ),
        "statuses.not_waiting_payment": Text(
            "”{status}” väntar inte på betalning; då kan Severa inte kreditera fakturor i den statusen.",
            "“{status}” does not wait for payment; Severa cannot credit invoices in that status.",
        ),
        "statuses.transfer_is_default": Text(
            "”{status}” är standardstatus: nya fakturor överförs så snart de skapas.",
            "“{status}” is the default: new invoices are transferred as soon as they are made.",
        ),
    }
)
