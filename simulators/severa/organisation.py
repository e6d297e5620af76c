"""One Severa organisation: its registers, settings and clock, and what every change of a record has to do."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID, uuid4, uuid5

from simulators.clock import SET_UP_BEFORE, SEVERA
from simulators.severa.fields import convert, lower_keys
from simulators.severa.models import INDEXES, MODELS
from simulators.severa.registers import Record, Register
from simulators.severa.switches import Switches

SCOPES = frozenset(
    {
        f"{area}:{right}"
        for area in (
            "customers",
            "projects",
            "invoices",
            "hours",
            "travels",
            "fees",
            "activities",
            "users",
            "settings",
            "files",
            "resourceallocations",
        )
        for right in ("read", "write", "delete")
    }
    | {"organization:read", "organization:write"}
)
API = "api"
PERSON = "person"
_NATURAL_KEYS = {
    "currencies": ("code",),
    "countries": ("code2", "code3", "name", "englishName"),
    "customers": ("number", "name"),
    "projects": ("number", "name"),
    "users": ("code", "email"),
    "invoicestatuses": ("name",),
    "products": ("code", "name"),
    "worktypes": ("code", "name"),
    "travelexpensetypes": ("code", "name"),
    "communicationtypes": ("type", "name"),
    "salesaccounts": ("number",),
    "costaccounts": ("number",),
    "languages": ("code",),
    "timezones": ("ianaName",),
    "salesstatustypes": ("salesState", "name"),
    "projectstatustypes": ("name",),
    "vatrates": ("percentage", "code"),
    "contactpersons": ("lastName",),
}
"""What people (not the API) may name a record by, in this order."""


class Organisation:
    """The state of one organisation. Records change only through `add`, `change` and `remove`."""

    def __init__(self, name: str, client_id: str, client_secret: str, switches: Switches) -> None:
        self.name = name
        self.client_id = client_id
        self.client_secret = client_secret
        self.granted_scopes = set(SCOPES)
        self.registers = {name: Register(name, INDEXES.get(name, ())) for name in MODELS}
        self.details: dict[str, Any] = {"guid": str(uuid4()), "name": name}
        self.settings: dict[str, Any] = {}
        self.history: dict[str, list[dict[str, Any]]] = {}
        self.overrides: dict[str, Any] = {}
        self.roles: dict[str, str] = {}
        """Our word for an invoice status (draft, transfer, …) → guid, as seeded."""
        self.company_guid = ""
        self._switches = switches
        self._last = datetime.min.replace(tzinfo=UTC)
        self._before = timedelta(0)
        self.new_guid: Callable[[], str] = lambda: str(uuid4())

    # --- Clock, switches, money -------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Give the server's time, never the same twice, so that changes have an order."""
        self._last = max(SEVERA.now() - self._before, self._last + timedelta(microseconds=1))
        return self._last

    @contextlib.contextmanager
    def set_up(self) -> Iterator[None]:
        """What is entered meanwhile was entered when the firm was set up, a while ago."""
        before, self._before = self._before, SET_UP_BEFORE
        try:
            yield
        finally:
            self._before = before

    def switch(self, name: str) -> Any:
        """Give a switch as it stands for this organisation."""
        return self.overrides[name] if name in self.overrides else getattr(self._switches, name)

    def all_switches(self) -> dict[str, Any]:
        """Give every switch as it stands for this organisation."""
        return {**asdict(self._switches), **self.overrides}

    @property
    def currency_code(self) -> str:
        """The organisation's own currency."""
        for record in self.registers["currencies"]:
            if record.data["isOrganizationCurrency"]:
                return str(record.data["code"])
        return "SEK"

    # --- Looking up -------------------------------------------------------------------------------------------------

    def register(self, name: str) -> Register:
        """Give a register by the vendor's name; KeyError when there is none."""
        return self.registers[name]

    def record(self, register: str, guid: Any) -> Record | None:
        """Give a record, or None."""
        return self.registers[register].get(guid)

    def by_guid(self, register: str, sent: Any) -> str | None:
        """Resolve a reference as the API does: by guid only (currencies of money: by code)."""
        if register == "currencies" and isinstance(sent, str) and len(sent) == 3:
            return self._by_key(register, "code", sent)
        return sent if self.record(register, sent) is not None else None

    def by_any(self, register: str, sent: Any) -> str | None:
        """Resolve a reference as a person does: by guid, number, code or name."""
        if sent is None:
            return None
        if self.record(register, sent) is not None:
            return str(sent)
        if register == "invoicestatuses" and sent in self.roles:
            return self.roles[sent]
        for key in _NATURAL_KEYS.get(register, ()):
            found = self._by_key(register, key, sent)
            if found is not None:
                return found
        return None

    def _by_key(self, register: str, key: str, sent: Any) -> str | None:
        for value in (sent, _as_int(sent)):
            for record in self.registers[register].find(key, value):
                return record.guid
        return None

    # --- Changing ---------------------------------------------------------------------------------------------------

    def data_of(self, register: str, sent: dict[str, Any], *, person: bool) -> dict[str, Any]:
        """Turn an input model into the data of a new record. A 400 (`SeveraError`) where it does not fit.

        The API ignores read-only fields of a new record; a person may fill everything.
        """
        resolve = self.by_any if person else self.by_guid
        given = lower_keys(sent)
        data: dict[str, Any] = {}
        for name, one in MODELS[register].items():
            key = name.lower()
            if key in given and (person or not one.read_only):
                data[name] = convert(one, given[key], resolve, text_allowed=False)
            elif one.default is not None:
                data[name] = one.default
            elif one.required:
                data[name] = convert(one, None, resolve, text_allowed=False)
            else:
                data[name] = [] if one.kind in ("refs", "strs") else None
        return data

    def add(self, register: str, data: dict[str, Any], by: str, guid: str | None = None) -> Record:
        """Add a record with finished data."""
        return self.registers[register].insert(guid or self.new_guid(), data, self.now(), self._author(by))

    def change(self, register: str, record: Record, data: dict[str, Any], by: str) -> None:
        """Put new data into a record, move its time of change and write its history."""
        now = self.now()
        entries = self.history.setdefault(record.guid, [])
        for name, value in data.items():
            old = record.data.get(name)
            if old != value and name != "data":
                entries.append({"time": stamp(now), "field": name, "old": old, "new": value, "by": by})
        self.registers[register].change(record, data, now, self._author(by))

    def remove(self, register: str, guid: str) -> Record | None:
        """Delete a record for good."""
        return self.registers[register].delete(guid)

    def _author(self, by: str) -> str | None:
        # The API's own changes carry no user; a person is the first user of the organisation.
        if by == API:
            return None
        return next(iter(self.registers["users"].records), None)

    def company_unit(self) -> Record | None:
        """Give the business unit that is the company (the head of the tree)."""
        for unit in self.registers["businessunits"]:
            if unit.data["parentGuid"] is None:
                return unit
        return None

    def company_unit_of(self, unit: Record) -> Record:
        """Give the unit with a VAT number at or above `unit`, else the head of the tree."""
        current = unit
        while not current.data["vatNumber"] and current.data["parentGuid"]:
            above = self.record("businessunits", current.data["parentGuid"])
            if above is None:
                break
            current = above
        return current


def derived(guid: str, purpose: str) -> str:
    """Give a guid that belongs to another one and is always the same."""
    return str(uuid5(UUID(guid), purpose))


def stamp(when: datetime) -> str:
    """Write a time as the vendor's date-time in UTC."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def cents(amount: Decimal) -> Decimal:
    """Round half away from zero to two decimals."""
    return amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def _as_int(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isdigit() else value
