"""The roles of a tenant's invoice statuses in Severa, derived from their order and flags (R-STA-1 to R-STA-3).

Names mean nothing. What breaks a rule is a ``Stop`` that names the status, the flag and what to change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import Literal

from domain.errors import Stop
from domain.explain import Text
from domain.mapper import flag, read, text
from domain.model import Json, LogLine
from domain.setup.settings import TenantSettings
from domain.words import WORDS

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
    place = {status.guid: index for index, status in enumerate(line)}
    chosen = _chosen(line, overrides)
    found = _in_order(line, place, chosen)
    _check_order(found, place, chosen)
    _check_flags(line, place, found)
    _check_paid(line, place, found)
    return Roles(
        failed=found["failed"],
        transfer=found["transfer"],
        transferred=found["transferred"],
        sent=found["sent"],
        partly_paid=found.get("partly_paid"),
        paid=found["paid"],
        warnings=_warnings(line, found, severa_numbers_credit_notes=severa_numbers_credit_notes),
        positions=MappingProxyType(place),
    )


def tenant_roles(
    statuses: Iterable[Json], settings: TenantSettings, *, severa_numbers_credit_notes: bool = False
) -> Roles:
    """The roles as the tenant has them: its ignored statuses left out, its hand-set roles checked. Whoever asks for a
    role asks here, or invoices and projects would each know another *transfer*. Raises as ``derive_roles``."""
    return derive_roles(
        statuses,
        ignored=settings.ignored_statuses,
        overrides={role: settings.status_roles[role] for role in ROLES if role in settings.status_roles},
        severa_numbers_credit_notes=severa_numbers_credit_notes,
    )


def _chosen(line: list[Status], overrides: Mapping[Role, str]) -> dict[Role, Status]:
    """The roles set by hand. One whose status is not there (removed, inactive, ignored) stops: taking the derived one
    instead would transfer from a status that a person has decided against."""
    by_guid = {status.guid: status for status in line}
    for role, guid in overrides.items():
        if guid not in by_guid:
            raise Stop("statuses.role_unknown", {"role": role, "status": guid})
    return {role: by_guid[guid] for role, guid in overrides.items()}


def _in_order(
    line: list[Status], place: Mapping[str, int], chosen: Mapping[Role, Status]
) -> dict[Role, Status]:
    """Each role's status, by hand or by order and flags; ``partly_paid`` may be missing."""
    failed = chosen.get("failed", line[0])
    transferred = chosen.get("transferred") or next((s for s in line if s.has_number), None)
    if transferred is None:
        raise Stop("statuses.no_number", {"last": line[-1].name})
    at = place[transferred.guid]
    transfer = chosen.get("transfer") or (line[at - 1] if at > 0 else None)
    if transfer is None or (transfer.guid == failed.guid and not chosen):
        raise Stop("statuses.no_transfer", {"failed": failed.name, "transferred": transferred.name})
    paid = chosen.get("paid") or next((s for s in line if s.is_paid), None)
    if paid is None:
        raise Stop("statuses.no_paid", {"last": line[-1].name})
    sent = chosen.get("sent") or (line[at + 1] if at + 1 < len(line) else None)
    if sent is None and "transferred" in chosen:
        # Nothing comes after it: the order tells that, and which role is set by hand.
        sent = transferred
    if sent is None or (place[paid.guid] <= place[sent.guid] and not chosen):
        raise Stop("statuses.no_sent", {"transferred": transferred.name, "paid": paid.name})
    found: dict[Role, Status] = {
        "failed": failed, "transfer": transfer, "transferred": transferred, "sent": sent, "paid": paid,
    }  # fmt: skip
    partly_paid = chosen.get("partly_paid") or _before(line, place[paid.guid], {sent.guid, transferred.guid})
    return found if partly_paid is None else found | {"partly_paid": partly_paid}


def _check_order(
    found: Mapping[Role, Status], place: Mapping[str, int], chosen: Mapping[Role, Status]
) -> None:
    """Roles stand in the order of the process, each on a status of its own (R-STA-1): a *partly paid* that is
    *transferred* would send invoices back to AutoInvoice. Only hand-set roles can break it."""
    line = [(role, found[role]) for role in ROLES if role in found]
    for (role, status), (later_role, later) in pairwise(line):
        if place[status.guid] < place[later.guid]:
            continue
        by_hand = later_role in chosen or role not in chosen
        values = {"role": role, "status": status.name, "later_role": later_role, "later": later.name}
        raise Stop("statuses.role_order", values | {"set": later_role if by_hand else role})


def _active(statuses: Iterable[Json], ignored: Collection[str]) -> list[Status]:
    rows = [Status.of(body) for body in statuses if flag(read(body, "isActive"))]
    return sorted((row for row in rows if row.guid not in ignored), key=lambda row: row.sort_order)


def _before(line: list[Status], at: int, taken: set[str]) -> Status | None:
    before = line[at - 1]
    return None if before.guid in taken else before


def _check_flags(line: list[Status], place: Mapping[str, int], found: Mapping[Role, Status]) -> None:
    failed, transfer, transferred = found["failed"], found["transfer"], found["transferred"]
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


def _check_paid(line: list[Status], place: Mapping[str, int], found: Mapping[Role, Status]) -> None:
    partly_paid, paid = found.get("partly_paid"), found["paid"]
    if partly_paid is not None and not partly_paid.is_sent:
        raise Stop("statuses.partly_paid_not_sent", {"status": partly_paid.name})
    # These two are only possible with roles set by hand.
    if not paid.is_paid:
        raise Stop("statuses.paid_not_paid", {"status": paid.name})
    for status in line[: place[paid.guid]]:
        if status.is_paid:
            raise Stop("statuses.paid_too_early", {"status": status.name, "paid": paid.name})


def _warnings(
    line: list[Status], found: Mapping[Role, Status], *, severa_numbers_credit_notes: bool
) -> tuple[LogLine, ...]:
    transfer, said = found["transfer"], list[LogLine]()
    credit_default = next((s for s in line if s.is_default_for_credit_note), None)
    if credit_default is None or credit_default.guid != transfer.guid:
        name = credit_default.name if credit_default else ""
        said.append(
            LogLine("statuses.credit_note_default", {"status": name, "transfer": transfer.name}, "warning")
        )
    if severa_numbers_credit_notes:
        said.append(LogLine("statuses.severa_numbers_credit_notes", {}, "warning"))
    for status in (found["sent"], found.get("partly_paid")):
        if status is not None and not status.is_waiting_payment:
            said.append(LogLine("statuses.not_waiting_payment", {"status": status.name}, "warning"))
    if transfer.is_default:
        said.append(LogLine("statuses.transfer_is_default", {"status": transfer.name}, "warning"))
    return tuple(said)


def autoinvoice_checks(roles: Roles) -> tuple[tuple[Text, Mapping[str, str]], ...]:
    """What a user ticks for AutoInvoice, which has no API (R-STA-4): each line with the statuses that it is about."""
    about: Mapping[str, Mapping[str, str]] = {
        "from": {"status": roles.transferred.name},
        "after": {"status": roles.sent.name},
        "error": {"status": roles.failed.name, "transfer": roles.transfer.name},
        "all": {},
        "first": {},
        "own": {},
    }
    texts = WORDS["setup"].texts
    return tuple((texts[f"autoinvoice_{line}"], values) for line, values in about.items())


def autoinvoice_error(roles: Roles, guid: str) -> bool:
    """Whether a status may be AutoInvoice's error status: none of *failed*, *transfer* or any before *transferred*."""
    place = roles.position(guid)
    return place is None or place >= roles.positions[roles.transferred.guid]
