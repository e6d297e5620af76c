"""What the poller has to know of a register: how its rows are called, hashed, and whom a change concerns.

Every domain package lists its registers as ``REGISTERS`` in ``fields.py``; nothing here decides what a change means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from domain.ports import Domain, Json, System
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
    organisation  its organisation number, normalised, '' if it has none (matching without reading whole registers)
    passing     rows leave it in everyday use (a sales case that was won): absence says nothing
    owner       the record that a row belongs to, as the row names it (guid, or number), '' if to none
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
    mapping_version: int = 1
    reference: bool = False
    in_scope: Callable[[Json, date | None], bool] = field(default=lambda _body, _start: True)
    start_setting: str | None = None
    passing: bool = False
    singly: tuple[str, ...] = ()
    wanted: Callable[[TenantSettings], bool] = field(default=lambda _settings: True)
    organisation: Callable[[Json], str] = field(default=lambda _body: "")
    owner: Callable[[Json], str] = field(default=lambda _body: "")
