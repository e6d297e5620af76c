"""The moves of a customer's Severa addresses: changing, splitting and making them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from domain.customer import addresses
from domain.customer.addresses import Moves, NewAddress
from domain.customer.places import FLAGS, country_name, field_name
from domain.customer.registers import ADDRESSES, ADDRESSES_OF, CUSTOMERS, HEADQUARTER_REFERENCE
from domain.customer.work import Work
from domain.errors import Refused
from domain.mapper import patch, read, text
from domain.model import Json, Permission
from domain.moves import SEVERA_TIME_SLACK, create_once, created_after, has_settled, shown


def carry_out(
    work: Work, severa: Json, rows: tuple[Json, ...], moves: Moves
) -> tuple[Json, tuple[Json, ...]]:
    """Makes, changes and unflags addresses; the customer and its addresses as they are afterwards.

    New addresses come first: no role is ever without one.
    """
    guid = text(severa, "guid")
    by_guid = {text(row, "guid"): row for row in rows}
    unflagged = {guid: list(flags) for guid, flags in moves.unflagged.items()}
    # An address that is about to be changed or to lose its flag is not what a role can move to.
    leaving = {*moves.changed, *moves.unflagged}
    for new in moves.made:
        made = _existing(work, new, rows, leaving) or _make(work, guid, new, leaving)
        by_guid[text(made, "guid")] = made
        for other, flag in _alone(new, text(made, "guid"), rows):
            unflagged.setdefault(other, []).append(flag)
        if "main" in new.roles:
            severa = headquarter(work, severa, text(made, "guid"))
    for own in dict.fromkeys((*moves.changed, *unflagged)):
        members = addresses.severa_members(moves.changed.get(own, {}), work.countries())
        members |= dict.fromkeys(unflagged.get(own, ()), False)
        if members:
            stored = work.delivery.severa.patch(ADDRESSES, own, patch(members))
            by_guid[own] = work.owned(stored, guid)
            work.see_place(by_guid[own])
    return _shown(severa, by_guid), tuple(by_guid.values())


def _alone(new: NewAddress, made: str, rows: Iterable[Json]) -> Iterator[tuple[str, str]]:
    """Other addresses (guid, flag) that have a flag of a new one's roles: of several the first created counts, and the next edit would
    be of another address than the one that was made."""
    for row in rows:
        for role in new.roles:
            if text(row, "guid") != made and read(row, FLAGS[role]) is True:
                yield text(row, "guid"), FLAGS[role]


def _existing(work: Work, new: NewAddress, rows: Iterable[Json], leaving: set[str]) -> Json | None:
    """An address that is already what is wanted: an earlier delivery made it and went no further."""
    return next((row for row in rows if text(row, "guid") not in leaving and _is(work, new, row)), None)


def _is(work: Work, new: NewAddress, row: Json) -> bool:
    found = addresses.place_values(row, work.countries())
    wanted = {part: value for part, value in new.values.items() if part not in ("country", "county")}
    flagged = all(read(row, FLAGS[role]) is True for role in new.roles)
    return flagged and all(found.get(part) == value for part, value in wanted.items())


def _make(work: Work, guid: str, new: NewAddress, leaving: set[str]) -> Json:
    severa = work.delivery.severa
    body = addresses.new_address(new, work.countries())

    step = f"create {'+'.join(new.roles)} address"

    def look_up(sent: Json) -> Json | None:
        found = _made(work, step, sent, severa.list(ADDRESSES_OF, parent=guid), leaving)
        return {"guid": text(found, "guid")} if found is not None else None

    made: dict[str, Json] = {}

    def send(permission: Permission) -> Json:
        made["row"] = severa.create(ADDRESSES_OF, body, parent=guid, not_after=permission.not_after)
        return {"guid": text(made["row"], "guid")}

    result = create_once(work.delivery, step, body, send, look_up)
    now = made.get("row") or shown(work.delivery, step, lambda: severa.get(ADDRESSES, result["guid"]))
    row = work.owned(now, guid)
    work.see_place(row)
    if not made:
        _note_edits(work, step, new, row)
    return row


def _made(work: Work, step: str, sent: Json, rows: Iterable[Json], leaving: set[str]) -> Json | None:
    """The address that an unanswered create made: equal to what was sent, not to what would be sent today; else, where somebody
    has edited it since, the first one for the same roles that was made after it was asked for."""
    known = work.delivery.step(step)
    since = known.sent_at if known is not None else None
    flags = [flag for flag in FLAGS.values() if read(sent, flag) is True]
    wanted = addresses.place_values(sent, work.countries())
    edited: Json | None = None
    for row in sorted(rows, key=lambda row: (text(row, "createdDateTime"), text(row, "guid"))):
        made = read(row, "createdDateTime")
        new = bool(made) and since is not None and created_after(made, since, SEVERA_TIME_SLACK)
        if not all(read(row, flag) is True for flag in flags) or (text(row, "guid") in leaving and not new):
            continue
        values = addresses.place_values(row, work.countries())
        if all(values.get(part) == wanted.get(part) for part in ("address_line", "postal_code", "city")):
            return row
        if new and edited is None and has_settled(work.delivery, step):
            edited = row
    return edited


def _note_edits(work: Work, step: str, new: NewAddress, row: Json) -> None:
    """An address of an earlier attempt keeps what that sent for its base, wherever somebody has edited it since or the ERP says
    otherwise by now: the next delivery merges it as any edit."""
    known = work.delivery.step(step)
    sent = addresses.place_values(known.request if known is not None else {}, work.countries())
    now = addresses.place_values(row, work.countries())
    for role in new.roles:
        for part, value in sent.items():
            if part != "county" and {now.get(part, value), new.values.get(part, value)} != {value}:
                work.edited[field_name(role, part)] = [value, value]


def headquarter(work: Work, severa: Json, address: str) -> Json:
    """Makes the new address the headquarter's, unless Severa did so itself."""
    if text(severa, "headquarterAddress.guid") == address:
        return severa
    try:
        return work.delivery.severa.patch(
            CUSTOMERS, text(severa, "guid"), patch({HEADQUARTER_REFERENCE: address})
        )
    except Refused as error:
        # The address is there; only its place on the customer's page is not.
        work.after.say(
            "customer.address_not_main", level="warning", name=text(severa, "name"), text=error.message
        )
        return severa


def _shown(severa: Json, by_guid: dict[str, Json]) -> Json:
    """The customer as its next reading will show it: a headquarter address repeats its address (R-CON-2)."""
    own = text(severa, "headquarterAddress.guid")
    if own not in by_guid:
        return severa
    row = by_guid[own]
    shown = {
        **(read(severa, "headquarterAddress") or {}),
        "addressline": read(row, "addressline"),
        "postalCode": read(row, "postalCode"),
        "city": read(row, "city"),
        "country": country_name(row) or None,
    }
    return {**severa, "headquarterAddress": shown}
