"""Contact persons of a customer in both systems: mapping, merge rules and matching (mapping 'Contact persons').

Severa keeps phone numbers and e-mail addresses as communications of their own; of several of one type the first created
counts. Both of Severa's names are required, so that '-' stands for a missing one and is never written back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from domain.conversion import FLAG, FOLDED, NEGATED, ONE_LINE, Conversion
from domain.mapper import flag, read, text
from domain.merge import FieldRule, Merge, Rule, merge
from domain.model import Json, System
from domain.sent import Values as Sent
from domain.table import Field, Table
from domain.text import canonical, name_key, one_line

NO_NAME = "-"

# Open question: which of the ERP's phones is which. The guide: Mobil ↔ Telefon 1, Telefon ↔ Telefon 2.
PHONES: Mapping[str, str] = MappingProxyType({"mobile": "phone1", "phone": "phone2"})

# Field → the type of Severa communication that holds it.
COMMUNICATION_OF: Mapping[str, str] = MappingProxyType(
    {"mobile": "MobilePhone", "phone": "Phone", "email": "EmailAddress"}
)

# Titles that Severa does not know: both sides stay.
_TITLES: Mapping[str, str] = MappingProxyType({"": "", "Mr": "Mr.", "Mrs": "Mrs.", "Ms": "Ms."})


def _named(value: Any) -> str:
    found = canonical(value)
    return "" if found == NO_NAME else found


def _dialled(number: str) -> str:
    return "".join(sign for sign in number if sign not in " -()")


def _known_title(value: Any) -> str | None:
    found = canonical(value)
    return found if found in _TITLES else None


def _here(body: Json) -> str:
    return canonical(flag(read(body, "isActive")) and not flag(read(body, "isDeleted"), default=False))


def _apart(_body: Json) -> None:
    """A communication is a record of its own: a contact person's body does not show it."""


_TITLE = Conversion(
    "salutation",
    severa=lambda value: canonical(value).removesuffix("."),
    erp=_known_title,
    to_severa=lambda value, _overwritten: _TITLES.get(value) or None,
    to_erp=lambda value, _overwritten: value or None,
)
_NAME = Conversion("text", severa=_named, erp=_named, to_severa=lambda value, _overwritten: value or NO_NAME)
_PHONE = ONE_LINE.but(name="communication", same=lambda severa, erp: _dialled(severa) == _dialled(erp))
_EMAIL = FOLDED.but(name="communication")

TABLE = Table(
    (
        Field("title", "salutation", "title", _TITLE, note="Doctor, Miss and Prof: both sides stay"),
        Field("first_name", "firstName", "firstName", _NAME, note="'-' in Severa for none"),
        Field("last_name", "lastName", "lastName", _NAME, note="'-' in Severa for none"),
        Field("position", "jobTitle", "position"),
        *(
            Field(name, f"communications[{COMMUNICATION_OF[name]}].value", path, _PHONE, severa_read=_apart)
            for name, path in PHONES.items()
        ),
        Field("email", f"communications[{COMMUNICATION_OF['email']}].value", "email", _EMAIL, severa_read=_apart),
        Field("email_allowed", "isEmailAllowed", "doNotEmail", NEGATED),
        Field("active", "isActive", "active", FLAG, severa_read=_here, note="deleted is inactive"),
        Field("customer", "customer.guid", "", flows="→", when="seen", note="whose contact it is"),
        Field("account", "", "businessAccount", flows="←", when="seen", note="whose contact it is"),
    )
)  # fmt: skip

# An emptied value of these is reported, not deleted.
_KEPT = frozenset({"title", "first_name", "last_name", "position", *COMMUNICATION_OF})


@dataclass(frozen=True, slots=True)
class Person:
    """A Severa contact person with its communications."""

    body: Json
    communications: tuple[Json, ...] = ()

    @property
    def guid(self) -> str:
        """Its Severa guid."""
        return text(self.body, "guid")

    def communication(self, name: str) -> Json | None:
        """The first created communication of a field's type."""
        wanted = COMMUNICATION_OF[name]
        rows = [row for row in self.communications if text(row, "communicationType.type") == wanted]
        return min(rows, key=lambda row: (text(row, "createdDateTime"), text(row, "guid")), default=None)


def severa_values(person: Person) -> dict[str, str]:
    """The mapped fields of a Severa contact person; a deleted one counts as inactive."""
    values = TABLE.values("severa", person.body)
    for name in COMMUNICATION_OF:
        found = person.communication(name)
        values[name] = one_line(text(found, "value")) if found is not None else ""
    return values


def erp_values(contact: Json) -> dict[str, str]:
    """The mapped fields of an ERP contact; a title that Severa does not know is left out."""
    return TABLE.values("visma_net", contact)


def communication_projection(body: Json) -> Mapping[str, str]:
    """What of a communication is compared."""
    return {
        "value": text(body, "value"),
        "type": text(body, "communicationType.type"),
        "contact": text(body, "contact.guid"),
    }


# ---------------------------------------------------------------- merge


@dataclass(frozen=True, slots=True)
class Pair:
    """Both sides of a contact. ``base`` as in a link, ``sent`` as in ``domain.sent``, ``old`` as of ``Table.rules``."""

    person: Person
    contact: Json
    base: Mapping[str, Any] = field(default_factory=dict)
    sent: Sent = field(default_factory=dict)
    old: Collection[str] = ()

    def values(self) -> tuple[dict[str, str], dict[str, str]]:
        """Canonical values of both sides."""
        return severa_values(self.person), erp_values(self.contact)

    def merged(self, rule: Rule, latest: System | None) -> tuple[Merge, tuple[str, ...]]:
        """The merge, and the fields that one side emptied: those are reported, not deleted."""
        severa, erp = self.values()
        found = merge(self.base, severa, erp, TABLE.rules(rule, old=self.old), latest=latest, sent=self.sent)
        written = {**found.to_erp, **found.to_severa}
        emptied = tuple(name for name, value in written.items() if name in _KEPT and not value)
        if not emptied:
            return found, ()
        kept = Merge(
            {name: value for name, value in found.to_severa.items() if name not in emptied},
            {name: value for name, value in found.to_erp.items() if name not in emptied},
            {**found.agreed, **{name: [severa[name], erp[name]] for name in emptied}},
            tuple(one for one in found.overruled if one.field not in emptied),
            found.differs,
            found.asked,
        )
        return kept, emptied


def rules(rule: Rule) -> dict[str, FieldRule]:
    """How each field is merged."""
    return TABLE.rules(rule)


def erp_members(values: Mapping[str, str]) -> dict[str, Any]:
    """Members of an ERP contact's update."""
    return TABLE.members("visma_net", values, {})


def new_erp_contact(person: Person, customer_number: str) -> dict[str, Any]:
    """Members of a new ERP contact. Its last name is mandatory there: without one the first name stands for it, and
    without any name the e-mail address."""
    values = severa_values(person)
    if not values["last_name"]:
        values["last_name"], values["first_name"] = values["first_name"] or values["email"], ""
    filled = {name: value for name, value in values.items() if value}
    return {**erp_members(filled), "businessAccount": customer_number, "sameAsAccount": True}


def made_in_erp(person: Person) -> dict[str, str]:
    """What a new ERP contact carries over, as the merge compares it: a name that stands in for a missing one is no name."""
    values = severa_values(person)
    return values if values["last_name"] else _but(values, "first_name", "last_name")


def made_in_severa(contact: Json) -> dict[str, str]:
    """The same of a new Severa contact person."""
    values = erp_values(contact)
    return values if _TITLES.get(values.get("title", "")) else _but(values, "title")


def _but(values: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if name not in names}


def severa_members(values: Mapping[str, str]) -> dict[str, Any]:
    """Members of a Severa contact person; its communications are written by themselves."""
    return TABLE.members("severa", _but(values, *COMMUNICATION_OF), {})


def new_person(contact: Json, customer_guid: str) -> Json:
    """The body of a new Severa contact person."""
    values = {name: value for name, value in erp_values(contact).items() if name not in COMMUNICATION_OF}
    if not values.get("title"):
        values.pop("title", None)
    return {**severa_members(values), "customer": {"guid": customer_guid}}


# ---------------------------------------------------------------- matching


def matched(
    persons: Iterable[Person], erp_contacts: Iterable[Json]
) -> tuple[list[tuple[Person, Json]], set[str]]:
    """Pairs of contacts of one customer that are the same: by e-mail, then by first and last name.

    Also the ids (guid or contact id) of those that fit several: nothing is created for them.
    """
    left, right = list(persons), list(erp_contacts)
    pairs: list[tuple[Person, Json]] = []
    doubtful: set[str] = set()
    for key_of, other_key in ((_email, _erp_email), (_name, _erp_name)):
        for person in list(left):
            key = key_of(person)
            same = [contact for contact in right if key and other_key(contact) == key]
            rivals = [other for other in left if key and key_of(other) == key]
            if len(same) == 1 and len(rivals) == 1:
                pairs.append((person, same[0]))
                left.remove(person)
                right.remove(same[0])
            elif same:
                doubtful |= {person.guid, *(text(contact, "contactId") for contact in same)}
    still = {one.guid for one in left} | {text(contact, "contactId") for contact in right}
    return pairs, doubtful & still


def _email(person: Person) -> str:
    return severa_values(person)["email"].casefold()


def _erp_email(contact: Json) -> str:
    return text(contact, "email").casefold()


def _name(person: Person) -> str:
    values = severa_values(person)
    return name_key(f"{values['first_name']} {values['last_name']}".strip())


def _erp_name(contact: Json) -> str:
    values = erp_values(contact)
    return name_key(f"{values['first_name']} {values['last_name']}".strip())
