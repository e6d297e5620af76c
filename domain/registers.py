"""What the poller has to know of a register: how its rows are called, hashed, and whom a change concerns.

Every domain package lists its registers as ``REGISTERS`` in ``registers.py``; nothing here decides what a change means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from domain.mapper import day, read, text
from domain.model import Domain, Json, System
from domain.setup.settings import TenantSettings


@dataclass(frozen=True, slots=True)
class Concern:
    """A changed row means 'settle this': the record ``id`` of ``register`` in ``domain``.

    ``only_linked``: nothing is announced unless the record is linked in that domain already (a payment on a document
    that is not ours concerns nobody).
    ``number``: the row knows the record by its number only (a contact of the ERP names its customer's); ``id`` is ''.
    ``through``: ``id`` is a record of this register, and meant is the one that it belongs to (a communication names its
    contact person, who names the customer).
    """

    domain: Domain
    register: str
    id: str
    only_linked: bool = False
    number: str = ""
    through: str = ""


@dataclass(frozen=True, slots=True)
class Register:
    """A register of one system as the poller reads it.

    identify    the internal id of a row (never the number: numbers change, R-CUS-8)
    number      what people call it, '' if it has none yet
    title       its name for people
    projection  the mapped fields as canonical strings; its hash decides whether a row changed (timestamps and
                paging counters are not part of it)
    concerns    what has to be settled when it changed; empty for reference registers
    remote_time the later of created and updated, None if the row has neither (aware for Severa, naive ERP local time
                made aware by the caller)
    wanted      whether this tenant reads the register at all (costs are off by default)
    singly      keys of rows that are read one by one, for lists that show only names
    unmapped    projected fields that this tenant does not carry over (notes are off by default): they cause nothing
    organisation  its organisation number, normalised, '' if it has none (matching without reading whole registers)
    passing     rows leave it in everyday use (a sales case that was won): absence says nothing
    slow        read as seldom as a reference register: nothing that flows begins here
    shown_by    another register that may show the same rows: as long as it showed them all, this one is read slowly
    owner       the record that a row belongs to, as the row names it (guid, or number), '' if to none
    mapping_version  rises with every change of what ``projection`` says of a body, however rare: rows of another version are
                hashed anew and compared, rows of the same one are announced as edited. 0.1.0 had 1 (customers 2)
    single      the key that a row is read singly by, '' if it cannot be; by default Severa's guid, and in the ERP nothing
    start_setting  tenant setting with the date before which rows are left alone (invoices_from, costs_from); ``in_scope`` gets it
    """

    system: System
    name: str
    identify: Callable[[Json], str]
    number: Callable[[Json], str]
    title: Callable[[Json], str]
    projection: Callable[[Json], Mapping[str, str]]
    concerns: Callable[[Json], tuple[Concern, ...]]
    remote_time: Callable[[Json], datetime | None]
    mapping_version: int = 2
    reference: bool = False
    in_scope: Callable[[Json, date | None], bool] = field(default=lambda _body, _start: True)
    start_setting: str | None = None
    passing: bool = False
    slow: bool = False
    shown_by: str | None = None
    singly: tuple[str, ...] = ()
    wanted: Callable[[TenantSettings], bool] = field(default=lambda _settings: True)
    organisation: Callable[[Json], str] = field(default=lambda _body: "")
    owner: Callable[[Json], str] = field(default=lambda _body: "")
    unmapped: Callable[[TenantSettings], tuple[str, ...]] = field(default=lambda _settings: ())
    single: Callable[[Json], str] | None = None

    def key(self, body: Json) -> str:
        """What ``get`` takes to read this row again, '' when the vendor has no single read of it that looks the same."""
        if self.single is not None:
            return self.single(body)
        return self.identify(body) if self.system == "severa" and not self.reference else ""

    def start(self, settings: TenantSettings) -> date | None:
        """The day before which rows are left alone at this tenant, None = there is no such day."""
        return getattr(settings, self.start_setting) if self.start_setting else None

    def of_tenant(self, settings: TenantSettings) -> Register:
        """The register as this tenant's settings make it; another mapping version, so that a changed setting re-hashes
        without announcing."""
        left_out = self.unmapped(settings)
        if not left_out:
            return self
        whole = self.projection

        def projection(body: Json) -> Mapping[str, str]:
            return {name: value for name, value in whole(body).items() if name not in left_out}

        return replace(
            self, projection=projection, mapping_version=self.mapping_version + 1000, unmapped=lambda _s: ()
        )


def reference(system: System, name: str, key: str, title: str, *mapped: str, called: str = "") -> Register:
    """A register that things are looked up in and nobody settles, read whole. ``key`` is what its rows are known by, ``title`` what
    they are called; ``mapped``: the members that matter, by default all but counters and stamps; ``called``: what people know a row
    by, where that is not its key."""
    return Register(
        system=system,
        name=name,
        identify=lambda body: text(body, key),
        number=lambda body: text(body, called or key),
        title=lambda body: text(body, title),
        projection=(lambda body: {path: text(body, path) for path in mapped}) if mapped else _whole,
        concerns=lambda _body: (),
        remote_time=lambda _body: None,
        reference=True,
    )


def _whole(body: Json) -> Mapping[str, str]:
    return {name: repr(value) for name, value in body.items() if name not in {"metadata", "timeStamp"}}


def dated_on_or_after(path: str, body: Json, start: date | None) -> bool:
    """Whether a document is dated on or after the tenant's start date (R-SET-7); one without a date is."""
    dated = day(read(body, path))
    return start is None or dated is None or dated >= start
