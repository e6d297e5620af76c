"""A company's registers in memory: rows, keys, number series, versions and times.

State changes are plain synchronous code under the company's lock, so that a person's move made from another
thread and a call over HTTP never interleave.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from simulators.clock import ERP
from simulators.visma_net.answers import entry_refused
from simulators.visma_net.switches import Switches

if TYPE_CHECKING:
    from simulators.visma_net.documents import Document, JournalBatch, Payment, SupplierDocument

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The simulator's time."""
    return ERP.now()


@dataclass(frozen=True, slots=True)
class Stamp:
    """One instant: as it is, and as the ERP writes it (fixed width, so that texts compare like times)."""

    at: datetime
    local: str
    universal: str


def shown(text: str) -> str:
    """Fraction digits vary from none to three on the wire (docs/vendors/visma-net-erp.md E18)."""
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


def day(value: date | None) -> str | None:
    """A day as the API writes it: midnight without a zone."""
    return None if value is None else f"{value.isoformat()[:10]}T00:00:00"


@dataclass(slots=True)
class Attachment:
    """A file; the same name on the same owner again makes a new revision, and only the latest is served."""

    id: str
    name: str
    content: bytes
    content_type: str
    revision: int = 1
    send_to_auto_invoice: bool = False

    def shape(self) -> dict[str, Any]:
        """As records list it."""
        return {"name": self.name, "id": self.id, "revision": self.revision}


@dataclass(slots=True)
class Row:
    """A record of a register. ``body`` has the read shape without times, version and metadata."""

    key: str
    internal_id: int
    body: dict[str, Any]
    created: Stamp
    modified: Stamp
    version: int
    note: str = ""
    attachments: list[Attachment] = field(default_factory=list)

    @property
    def etag(self) -> str:
        """The version as the header carries it."""
        return base64.b64encode(self.version.to_bytes(8, "big")).decode()


class Register:
    """Rows by key (case does not matter) and by internal id, oldest first."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._by_id: dict[int, Row] = {}

    def __iter__(self) -> Iterator[Row]:
        # By internal id, not by key: a renamed key keeps its place.
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, key: str) -> Row | None:
        """A row by its key, in any letters."""
        return self._rows.get(key.casefold())

    def find(self, internal_id: int) -> Row | None:
        """A row by its internal id."""
        return self._by_id.get(internal_id)

    def add(self, row: Row) -> Row:
        """Puts a row in; the row."""
        self._rows[row.key.casefold()] = row
        self._by_id[row.internal_id] = row
        return row

    def rename(self, row: Row, key: str) -> None:
        """Another key, the same internal id."""
        del self._rows[row.key.casefold()]
        row.key = key
        self._rows[key.casefold()] = row

    def remove(self, row: Row) -> None:
        """Takes a row out."""
        # A task stands under its project's id and its own key, so its entry by key may not be found.
        self._rows.pop(row.key.casefold(), None)
        del self._by_id[row.internal_id]


@dataclass
class Series:
    """A number series; numbers are handed out once, whatever becomes of the document."""

    id: str
    description: str
    first: int
    last: int
    width: int
    given: int | None = None
    manual: bool = False
    step: int = 1

    def upcoming(self) -> int:
        """The next number, before it is taken."""
        return self.first if self.given is None else self.given + self.step

    def take(self) -> str:
        """The next number as text of the width of the series. Refuses when there are none left."""
        number = self.upcoming()
        if number > self.last:
            raise entry_refused(f"The number series '{self.id}' has no numbers left.")
        self.given = number
        return str(number).zfill(self.width)


@dataclass
class Dimension:
    """A segmented key with one segment."""

    id: str
    description: str
    length: int
    auto_number: bool = False
    series: str | None = None


@dataclass
class Vat:
    """A VAT id with its rate in percent."""

    id: str
    description: str
    rate: str
    reverse: bool = False


@dataclass
class Period:
    """A month, ``id`` YYYYMM; or a year's adjustment period, YYYY13, which begins and ends on the year's last day."""

    id: str
    active: bool = True
    closed_receivables: bool = False
    closed_payables: bool = False
    closed_ledger: bool = False

    @property
    def start(self) -> date:
        """Its first day; an adjustment period is the last day of the year."""
        year, month = int(self.id[:4]), int(self.id[4:])
        return date(year, month, 1) if month <= 12 else date(year, 12, 31)

    @property
    def end(self) -> date:
        """The last day, as the window shows it."""
        if int(self.id[4:]) > 12:
            return self.start
        return (self.start + timedelta(days=32)).replace(day=1) - timedelta(days=1)


@dataclass
class Job:
    """A call made in background mode: kept with the answer it got."""

    id: str
    tenant_id: str
    received: datetime
    done_at: datetime
    status: int
    headers: dict[str, str]
    content: bytes
    content_type: str
    path: str
    has_request: bool


class Company:
    """One company of the ERP: its registers, documents, series and switches."""

    def __init__(self, tenant_id: str, name: str, switches: Switches, clock: Clock) -> None:
        self.tenant_id = tenant_id
        self.name = name
        self.lock = threading.RLock()
        self.clock = clock
        self.shared_switches = switches
        self.own_switches: Switches | None = None
        self.zone = ZoneInfo("Europe/Stockholm")
        self.base_currency = "SEK"
        self.organization: dict[str, Any] = {}
        self.branches: dict[str, dict[str, Any]] = {}
        self.registers: dict[str, Register] = {
            name: Register()
            for name in ("customer", "contact", "inventory", "project", "supplier", "task", "account")
        }
        self.customer_classes: dict[str, dict[str, Any]] = {}
        self.item_classes: dict[str, dict[str, Any]] = {}
        self.posting_classes: dict[str, str] = {}
        self.credit_terms: dict[str, dict[str, Any]] = {}
        self.currencies: dict[str, dict[str, Any]] = {}
        self.countries: dict[str, str] = {}
        self.vats: dict[str, Vat] = {}
        self.vat_categories: dict[str, dict[str, Any]] = {}
        self.vat_zones: dict[str, dict[str, Any]] = {}
        self.vat_rules: dict[tuple[str, str], str] = {}  # (category, zone) -> VAT id
        self.units: set[str] = set()
        self.payment_methods: dict[str, dict[str, Any]] = {}
        self.periods: dict[str, Period] = {}
        self.series: dict[str, Series] = {}
        self.dimensions: dict[str, Dimension] = {}
        self.document_series: dict[str, str] = {}
        self.invoices: dict[str, Document] = {}
        self.credit_notes: dict[str, Document] = {}
        self.payments: dict[tuple[str, str], Payment] = {}
        self.supplier_documents: dict[tuple[str, str], SupplierDocument] = {}
        self.batches: dict[tuple[str, str], JournalBatch] = {}
        self.attachments: dict[str, Attachment] = {}
        self.removed: list[dict[str, Any]] = []
        self.release_queue: list[tuple[datetime | None, Document, bool]] = []  # due, what, fails
        self.releases: dict[str, int] = {}  # first word of the note -> released documents
        self.sent_by_erp: list[dict[str, Any]] = []  # documents the ERP itself sent to the customer
        self.jobs: dict[str, Job] = {}
        self._internal_id = 1000
        self._version = 1_290_000_000
        self._stamp: Stamp | None = None

    @property
    def switches(self) -> Switches:
        """How this company behaves: its own switches, else those of the simulator."""
        return self.own_switches or self.shared_switches

    def override(self, **changes: Any) -> Switches:
        """Give this company switches of its own. Raises TypeError for a name that is none."""
        self.own_switches = replace(self.switches, **changes)
        return self.own_switches

    def register(self, name: str) -> Register:
        """A register by its name in small letters."""
        return self.registers[name]

    def next_id(self) -> int:
        """An internal id nobody has."""
        self._internal_id += 1
        return self._internal_id

    def next_version(self) -> int:
        """A version later than all before."""
        self._version += 1
        return self._version

    def stamp(self) -> Stamp:
        """Now, to the millisecond, as the database would write it."""
        now = self.clock()
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        if self._stamp is not None and self._stamp.at == now:
            return self._stamp
        local = now.astimezone(self.zone).replace(tzinfo=None).isoformat(timespec="milliseconds")
        universal = now.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
        self._stamp = Stamp(now, local, universal)
        return self._stamp

    def today(self) -> date:
        """The day in the company's zone."""
        return self.clock().astimezone(self.zone).date()

    def text(self, stamp: Stamp) -> str:
        """The comparable text of a stamp in the zone this company shows its times in."""
        return stamp.universal if self.switches.utc_times else stamp.local

    def shown(self, stamp: Stamp) -> str:
        """A stamp as the API writes it."""
        return shown(self.text(stamp))

    def new_row(self, register: str, key: str, body: dict[str, Any], *, note: str = "") -> Row:
        """A new row of a register."""
        stamp = self.stamp()
        row = Row(key, self.next_id(), body, stamp, stamp, self.next_version(), note)
        return self.registers[register].add(row)

    def touch(self, row: Row | Document | Payment | SupplierDocument | JournalBatch) -> None:
        """A change was saved: a new row version and a new time of last change."""
        row.modified = self.stamp()
        row.version = self.next_version()

    def take_number(self, series: str) -> str:
        """The next number of a series. Refuses an unknown one."""
        if series not in self.series:
            raise entry_refused(f"Numbering ID '{series}' cannot be found in the system.")
        return self.series[series].take()

    def check_length(self, dimension: str, value: str, member: str) -> None:
        """Refuse a key longer than its segmented key allows (CS203000; docs/vendors/visma-net-erp.md E51)."""
        found = self.dimensions.get(dimension)
        if found is not None and len(value) > found.length:
            raise entry_refused(
                f"'{member}' exceeds the maximum length: '{value}' has {len(value)} characters, "
                f"the segmented key {dimension} allows {found.length}."
            )

    def period_of(self, when: date) -> str:
        """The id of the period that contains a day."""
        return f"{when.year:04d}{when.month:02d}"


@dataclass
class Client:
    """An application registered with the sign-in service, and the companies that approved it."""

    client_id: str
    secret: str
    tenants: list[str] = field(default_factory=list)


class Simulation:
    """Everything one process serves: companies by tenant id, applications by client id."""

    def __init__(self, switches: Switches | None = None, clock: Clock = utc_now) -> None:
        self.switches = switches or Switches()
        self.clock = clock
        self.companies: dict[str, Company] = {}
        self.clients: dict[str, Client] = {}

    def add(self, company: Company, client_id: str, secret: str) -> Company:
        """Register a company and let the application into it."""
        self.companies[company.tenant_id] = company
        client = self.clients.setdefault(client_id, Client(client_id, secret))
        client.secret = secret
        if company.tenant_id not in client.tenants:
            client.tenants.append(company.tenant_id)
        return company
