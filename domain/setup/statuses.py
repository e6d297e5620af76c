"""The roles of a tenant's invoice statuses in Severa, derived from their order and flags (R-STA-1 to R-STA-3).

Names mean nothing. What breaks a rule is a ``Stop`` that names the status, the flag and what to change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from domain.errors import Stop
from domain.explain import Cause, Text
from domain.mapper import flag, read, text
from domain.ports import Json, LogLine

Role = Literal["failed", "transfer", "transferred", "sent", "partly_paid", "paid"]
ROLES: tuple[Role, ...] = ("failed", "transfer", "transferred", "sent", "partly_paid", "paid")


@dataclass(frozen=True, slots=True)
class Status:
    """One invoice status of Severa with the flags that count."""

    guid: str
    name: str
    sort_order: int
    is_default: bool = False
    is_read_only: bool = False
    has_number: bool = False
    is_sent: bool = False
    is_waiting_payment: bool = False
    is_paid: bool = False
    is_default_for_credit_note: bool = False

    @classmethod
    def of(cls, body: Json) -> Status:
        """From a row of ``invoicestatuses``; missing flags count as not set."""
        return cls(
            guid=text(body, "guid"),
            name=text(body, "name"),
            sort_order=int(read(body, "sortOrder") or 0),
            is_default=flag(read(body, "isDefault"), default=False),
            is_read_only=flag(read(body, "isReadOnly"), default=False),
            has_number=flag(read(body, "hasInvoiceNumber"), default=False),
            is_sent=flag(read(body, "isSent"), default=False),
            is_waiting_payment=flag(read(body, "isWaitingPayment"), default=False),
            is_paid=flag(read(body, "isPaid"), default=False),
            is_default_for_credit_note=flag(read(body, "isDefaultForCreditNote"), default=False),
        )


@dataclass(frozen=True, slots=True)
class Roles:
    """The six roles; ``partly_paid`` is None where the set-up has none. ``warnings`` do not block anything."""

    failed: Status
    transfer: Status
    transferred: Status
    sent: Status
    partly_paid: Status | None
    paid: Status
    warnings: tuple[LogLine, ...] = ()
    positions: Mapping[str, int] = field(default_factory=dict)

    def of(self, role: Role) -> Status | None:
        """The status of a role; only ``partly_paid`` may be None."""
        found: Status | None = getattr(self, role)
        return found

    def role_of(self, guid: str) -> Role | None:
        """The role of a status, None if it has none."""
        for role in ROLES:
            status = self.of(role)
            if status is not None and status.guid == guid:
                return role
        return None

    def position(self, guid: str) -> int | None:
        """Place of a status in the process, 0 for the first; None for an inactive or ignored one."""
        return self.positions.get(guid)

    def standing(self, guid: str) -> Role | None:
        """The role of a status, or of the last role before it for one of the tenant's own between *sent* and *paid*
        (a reminder status, say): payments pass over those as if they were *sent* or *partly paid*."""
        role = self.role_of(guid)
        place = self.position(guid)
        if role is not None or place is None:
            return role
        if not self.positions[self.sent.guid] < place < self.positions[self.paid.guid]:
            return None
        if self.partly_paid is not None and place > self.positions[self.partly_paid.guid]:
            return "partly_paid"
        return "sent"


def derive_roles(
    statuses: Iterable[Json],
    *,
    ignored: Collection[str] = (),
    overrides: Mapping[Role, str] = MappingProxyType({}),
    severa_numbers_credit_notes: bool = False,
) -> Roles:
    """Roles of the rows of ``invoicestatuses`` (R-STA-1).

    ``ignored``: guids that the tenant leaves out (AutoInvoice's error status). ``overrides``: roles set by hand, role →
    guid. ``severa_numbers_credit_notes``: the organisation setting ``setCreditNoteInvoiceNumber`` (R-STA-3, a warning).
    Raises Stop ``statuses.*`` when the set-up breaks a rule (R-STA-2).
    """
    line = _active(statuses, ignored)
    if not line:
        raise Stop("statuses.none")
    by_guid = {status.guid: status for status in line}
    chosen = {role: by_guid[guid] for role, guid in overrides.items() if guid in by_guid}
    place = {status.guid: index for index, status in enumerate(line)}

    failed = chosen.get("failed", line[0])
    transferred = chosen.get("transferred") or next((s for s in line if s.has_number), None)
    if transferred is None:
        raise Stop("statuses.no_number", {"last": line[-1].name})
    at = place[transferred.guid]
    transfer = chosen.get("transfer") or (line[at - 1] if at > 0 else None)
    if transfer is None or transfer.guid == failed.guid:
        raise Stop("statuses.no_transfer", {"failed": failed.name, "transferred": transferred.name})
    paid = chosen.get("paid") or next((s for s in line if s.is_paid), None)
    if paid is None:
        raise Stop("statuses.no_paid", {"last": line[-1].name})
    sent = chosen.get("sent") or (line[at + 1] if at + 1 < len(line) else None)
    if sent is None or place[paid.guid] <= place[sent.guid]:
        raise Stop("statuses.no_sent", {"transferred": transferred.name, "paid": paid.name})
    partly_paid = chosen.get("partly_paid") or _before(line, place[paid.guid], {sent.guid, transferred.guid})

    _check_flags(line, place, failed, transfer, transferred, partly_paid=partly_paid)
    return Roles(
        failed=failed,
        transfer=transfer,
        transferred=transferred,
        sent=sent,
        partly_paid=partly_paid,
        paid=paid,
        warnings=_warnings(
            line, transfer, sent, partly_paid, severa_numbers_credit_notes=severa_numbers_credit_notes
        ),
        positions=MappingProxyType(place),
    )


def _active(statuses: Iterable[Json], ignored: Collection[str]) -> list[Status]:
    rows = [Status.of(body) for body in statuses if flag(read(body, "isActive"))]
    return sorted((row for row in rows if row.guid not in ignored), key=lambda row: row.sort_order)


def _before(line: list[Status], at: int, taken: set[str]) -> Status | None:
    before = line[at - 1]
    return None if before.guid in taken else before


def _check_flags(
    line: list[Status],
    place: Mapping[str, int],
    failed: Status,
    transfer: Status,
    transferred: Status,
    *,
    partly_paid: Status | None,
) -> None:
    if failed.is_default:
        raise Stop("statuses.failed_is_default", {"status": failed.name})
    if not transfer.is_read_only:
        raise Stop("statuses.transfer_editable", {"status": transfer.name})
    for status in line[place[transferred.guid] :]:
        if not status.has_number:
            raise Stop("statuses.number_missing", {"status": status.name, "transferred": transferred.name})
    for status in line[: place[transferred.guid]]:
        # Only possible with roles set by hand: a number before the transfer would be one of Severa's own.
        if status.has_number:
            raise Stop("statuses.number_too_early", {"status": status.name, "transfer": transfer.name})
    if partly_paid is not None and not partly_paid.is_sent:
        raise Stop("statuses.partly_paid_not_sent", {"status": partly_paid.name})


def _warnings(
    line: list[Status],
    transfer: Status,
    sent: Status,
    partly_paid: Status | None,
    *,
    severa_numbers_credit_notes: bool,
) -> tuple[LogLine, ...]:
    found: list[LogLine] = []
    credit_default = next((s for s in line if s.is_default_for_credit_note), None)
    if credit_default is None or credit_default.guid != transfer.guid:
        name = credit_default.name if credit_default else "–"
        found.append(
            LogLine("statuses.credit_note_default", {"status": name, "transfer": transfer.name}, "warning")
        )
    if severa_numbers_credit_notes:
        found.append(LogLine("statuses.severa_numbers_credit_notes", {}, "warning"))
    for status in (sent, partly_paid):
        if status is not None and not status.is_waiting_payment:
            found.append(LogLine("statuses.not_waiting_payment", {"status": status.name}, "warning"))
    if transfer.is_default:
        found.append(LogLine("statuses.transfer_is_default", {"status": transfer.name}, "warning"))
    return tuple(found)


def autoinvoice_checks(roles: Roles) -> tuple[tuple[Text, str], ...]:
    """What a user ticks for AutoInvoice, which has no API (R-STA-4): each line with the status it is about, '' for none.

    The line's ``{status}`` is that status' name.
    """
    before = [roles.failed.name, roles.transfer.name]
    return (
        (AUTOINVOICE_CHECKS["from"], roles.transferred.name),
        (AUTOINVOICE_CHECKS["after"], roles.sent.name),
        (AUTOINVOICE_CHECKS["error"], ", ".join(f'"{name}"' for name in before)),
        (AUTOINVOICE_CHECKS["all"], ""),
        (AUTOINVOICE_CHECKS["first"], ""),
        (AUTOINVOICE_CHECKS["own"], ""),
    )


def autoinvoice_error(roles: Roles, guid: str) -> bool:
    """Whether a status may be AutoInvoice's error status: none of *failed*, *transfer* or any before *transferred*."""
    place = roles.position(guid)
    return place is None or place >= roles.positions[roles.transferred.guid]


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
