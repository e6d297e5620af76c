"""How a Severa contact is reached: its phone numbers and e-mail addresses are records of their own, each made once."""

from __future__ import annotations

from domain.customer.contacts import COMMUNICATION_OF
from domain.customer.registers import COMMUNICATION_TYPES, COMMUNICATIONS
from domain.customer.work import Work
from domain.mapper import flag, read, text
from domain.model import Json
from domain.moves import create_once, shown

OF_PERSON = "contacts/contactcommunications"


def made(work: Work, guid: str, name: str, value: str) -> Json:
    """A new phone number or e-mail address. Raises Stop ``customer.communication_type`` when Severa has no such type."""
    severa, wanted = work.delivery.severa, COMMUNICATION_OF[name]
    kinds = [
        row
        for row in work.rows("severa", COMMUNICATION_TYPES)
        if text(row, "type") == wanted and flag(read(row, "isActive"))
    ]
    if not kinds:
        raise work.after.stop("customer.communication_type", type=wanted)
    kind = text(kinds[0], "guid")
    body = {
        "value": value,
        # The document's default is true: the address would be there and never be used.
        "isForbiddenToUse": False,
        "contact": {"guid": guid},
        "communicationType": {"guid": kind},
    }

    def look_up(asked: Json) -> Json | None:
        for row in severa.list(OF_PERSON, parent=guid):
            if text(row, "value") == text(asked, "value") and text(row, "communicationType.guid") == kind:
                return {"guid": text(row, "guid")}
        return None

    step = f"create {name} of {guid}"
    result = create_once(
        work.delivery,
        step,
        body,
        lambda permission: {
            "guid": text(severa.create(COMMUNICATIONS, body, not_after=permission.not_after), "guid")
        },
        look_up,
    )
    return shown(work.delivery, step, lambda: severa.get(COMMUNICATIONS, result["guid"]))
