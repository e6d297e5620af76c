"""Settings of the installation, from the environment (``BRIDGE_…``). docs/settings.md is checked against this class."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Literal
from zoneinfo import available_timezones

from psycopg.conninfo import conninfo_to_dict
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.clock import settle_time
from domain.errors import InputError
from domain.setup.kinds import bounded

ROOTS_DIRECTORY = Path("/var/lib/severa-bridge")
"""Data directory of an installation that runs as root: its server does not, and cannot reach root's home."""
ROOTS_STATE = Path("/var/lib/severa-bridge-state")
"""State files of an installation that runs as root."""

YEAR = 31_622_400
"""Longest time that can be set, in seconds."""

MOST: Mapping[str, int] = MappingProxyType(
    {
        "": 1_000_000,
        "web_port": 65_535,
        "worker_threads": 256,
        "poll_threads": 256,
        "brake_percent": 100,
        "total_tolerance": 1_000,
    }
)
"""Upper bounds of numbers that are no times; '' = of all others."""


class Settings(BaseSettings):
    """Every field is the environment variable BRIDGE_<NAME>. Times in seconds."""

    model_config = SettingsConfigDict(
        env_prefix="BRIDGE_", env_ignore_empty=True, extra="ignore", frozen=True
    )

    # where
    database_url: str | None = Field(
        None,
        description="PostgreSQL 15 to 18, as the plain login that `db migrate` makes. Unset: PostgreSQL from the wheel, in the data directory.",
    )
    owner_database_url: str | None = Field(
        None, description="Owner of the tables; used by `severa-bridge db migrate` only."
    )
    amqp_url: SecretStr | None = Field(
        None, description="RabbitMQ 3.10 to 4.x. Unset: Dramatiq's in-process broker."
    )
    quorum_queues: bool = Field(
        False,
        description="Declare quorum queues. To be fixed before the first start: arguments of existing queues cannot change.",
    )
    data_dir: Path = Field(
        Path("~/.local/share/severa-bridge"),
        description="Embedded PostgreSQL and the key file. Default as root: `/var/lib/severa-bridge`.",
    )
    state_file: Path | None = Field(
        None,
        description="Where the relay keeps the last beat of the database, outside everything that is restored together with it. "
        "Default: a file of this database's own in `~/.local/state/severa-bridge` (`$XDG_STATE_HOME`), as root in `/var/lib/severa-bridge-state`.",
    )
    secret_keys: SecretStr | None = Field(
        None, description="Keys for stored secrets, comma between them, newest first."
    )
    secret_key_file: Path | None = Field(
        None,
        description="File with the keys, one per line, mode 600. Default in embedded mode: `secret.keys` in the data directory, made when missing.",
    )
    web_host: str = Field("127.0.0.1", description="Address that `web` listens on.")
    web_port: int = Field(8080, ge=1, description="Port that `web` listens on.")
    health_file: Path | None = Field(
        None, description="Touched every few seconds by a healthy poller, relay, worker or `up`."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Lowest level of log lines on standard error."
    )
    keep_payloads: bool = Field(
        True, description="Keep masked requests and responses of each attempt for the timeline."
    )

    # polling
    min_poll_seconds: float = Field(
        60, gt=0, description="No tenant polls more often than this, whatever its own setting says."
    )
    poller_seconds: float = Field(
        0.5, gt=0, description="Longest pause between two looks for connections that are due."
    )
    poll_lease_seconds: float = Field(
        300, gt=0, description="A poll that shows no page for this long is taken over."
    )
    poll_threads: int = Field(4, ge=1, description="Connections polled at the same time by one poller.")
    reference_seconds: float = Field(
        3600, gt=0, description="How often registers that rarely change (statuses, VAT, terms) are read."
    )
    reference_cache_seconds: float = Field(
        5, ge=0, description="How long a worker keeps what it read of such a register in memory."
    )
    sweep_seconds: float = Field(
        86400, gt=0, description="How often each register is read whole, to find what change filters missed."
    )
    severa_overlap_seconds: float = Field(
        600, ge=0, description="How far before the last seen change Severa is asked again."
    )
    erp_overlap_seconds: float = Field(
        4500,
        ge=0,
        description="The same for Visma.net ERP, whose times carry no zone: covers the repeated hour in October.",
    )
    erp_time_zone: str = Field(
        "Europe/Stockholm", description="Zone of Visma.net ERP's times, which carry none."
    )

    brake_percent: int = Field(
        20,
        ge=0,
        description="A poll that changes more than this share of a register of customers, products or projects pauses that domain and asks.",
    )
    brake_records: int = Field(25, ge=1, description="Fewer changed records than this never pause a domain.")

    # relay
    relay_seconds: float = Field(0.5, gt=0, description="Longest pause between two looks for ready rows.")
    relay_window: int = Field(
        64,
        ge=1,
        description="Most rows per domain that are out or being worked on (at least twice the worker threads).",
    )
    relay_per_tenant: int = Field(
        4, ge=1, description="Most rows per tenant that are out or being worked on."
    )
    out_lease_seconds: float = Field(
        120, gt=0, description="A change event that nobody claimed for this long is published again."
    )
    publish_seconds: float = Field(30, gt=0, description="Longest wait for RabbitMQ's confirms.")
    audit_seconds: float = Field(
        60, gt=0, description="How often records newer than what was settled are looked for."
    )

    # working
    worker_threads: int = Field(4, ge=1, description="Threads of one worker process.")
    claim_lease_seconds: float = Field(300, gt=0, description="Lease of a claimed row; each step extends it.")
    lease_margin_seconds: float = Field(
        30, gt=0, description="How much longer than a call can last its row's lease is."
    )
    not_after_seconds: float = Field(
        30,
        gt=0,
        description="How long a permission to make one call stands; past it the call is surely not sent.",
    )
    waiting_seconds: float = Field(30, gt=0, description="How often a waiting row is re-checked.")
    waiting_most_seconds: float = Field(
        86400,
        gt=0,
        description="After waiting this long for another record a person is told what is missing.",
    )
    unseen_seconds: float = Field(
        900, gt=0, description="The same for a record that the bridge has never seen."
    )
    look_up_seconds: float = Field(
        5, gt=0, description="How soon a call that was sent and not answered is looked up."
    )
    backoff_seconds: float = Field(
        2, gt=0, description="First pause after a temporary failure; doubles each time, with jitter."
    )
    backoff_most_seconds: float = Field(900, gt=0, description="Longest pause after a temporary failure.")
    tell_after_attempts: int = Field(
        6,
        ge=1,
        description="After so many failed attempts in a row a problem is shown, though the bridge goes on trying.",
    )
    sign_in_seconds: float = Field(300, gt=0, description="Pause of a connection that cannot sign in.")
    stop_seconds: float = Field(
        280, gt=0, description="Longest wait for running work when a worker is asked to stop."
    )

    # the vendors
    create_limit_seconds: float = Field(
        240,
        gt=0,
        description="After this time a call that was sent can no longer be carried out by Visma.net ERP.",
    )
    visibility_lag_seconds: float = Field(
        300, ge=0, description="After this time a created document can be found."
    )
    fresh_seconds: float = Field(
        120, ge=0, description="An invoice read within this time is not read again before it is planned."
    )
    status_seconds: float = Field(
        5,
        ge=0,
        description="A status read longer ago than this is read once more (one call) before *transferred* is written over it.",
    )
    release_wait_seconds: float = Field(
        60,
        gt=0,
        description="How long a queued release is followed within one attempt chain before it is reported.",
    )
    absence_seconds: float = Field(
        60,
        gt=0,
        description="A record that a vendor says is not there counts as gone once that is said again so long after, or when a whole reading does not show it either.",
    )
    total_tolerance: Decimal = Field(
        Decimal("0.05"),
        ge=0,
        description="Largest difference between both totals of an invoice, in invoice currency.",
    )
    severa_calls_per_second: float = Field(
        8,
        gt=0,
        description="Calls per second of one Severa connection over all processes (the vendor admits 10).",
    )
    slot_lease_seconds: float = Field(15, gt=0, description="Lease of a call slot of a Severa connection.")
    read_timeout_seconds: float = Field(
        60, gt=0, description="Longest wait for an answer that may be asked for again."
    )
    create_timeout_seconds: float = Field(250, gt=0, description="Longest wait for the answer of a create.")

    @field_validator("*")
    @classmethod
    def _bounded(cls, value: object, info: ValidationInfo) -> object:
        """No number without an upper bound: one that no clock, timer or column can hold breaks far from where it was set."""
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            return value
        if not value <= most(info.field_name or ""):
            raise ValueError("too large")
        return value

    @field_validator("erp_time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("it must be the name of a time zone, such as Europe/Stockholm")
        return value

    @property
    def embedded_database(self) -> bool:
        """Whether the bridge brings its own PostgreSQL."""
        return self.database_url is None

    @property
    def settle_seconds(self) -> float:
        """After this time everything that was sent has been carried out, or never will be, and can be found."""
        return settle_time(
            not_after=self.not_after_seconds,
            limit=self.create_limit_seconds,
            margin=self.lease_margin_seconds,
            visibility=self.visibility_lag_seconds,
        )

    @property
    def longest_lease_seconds(self) -> float:
        """No lease that permits a call lasts longer."""
        call = max(self.create_limit_seconds, self.create_timeout_seconds, self.read_timeout_seconds)
        permitted = self.not_after_seconds + call + self.lease_margin_seconds
        return max(self.claim_lease_seconds, permitted, self.out_lease_seconds)

    @property
    def place(self) -> str:
        """Where the database is found, without names and passwords: what tells two installations of one machine apart."""
        if self.database_url is None:
            return str(self.data.resolve())
        parts = conninfo_to_dict(self.database_url)
        return ":".join(str(parts.get(part) or "") for part in ("host", "hostaddr", "port", "dbname"))

    @property
    def state(self) -> Path:
        """The state file; its default has a name made of ``place``."""
        if self.state_file is not None:
            return self.state_file.expanduser()
        return default_state_dir() / f"{hashlib.sha256(self.place.encode()).hexdigest()[:16]}.json"

    @property
    def data(self) -> Path:
        """The data directory; ``data_dir`` itself only says what was set, or an ordinary user's default."""
        chosen = self.data_dir if "data_dir" in self.model_fields_set else default_data_dir()
        return chosen.expanduser()


def most(name: str) -> int:
    """The upper bound of a number."""
    return MOST.get(name, YEAR if name.endswith("seconds") else MOST[""])


def bounds(name: str) -> str:
    """``a number above 0 and up to 31622400``; '' for a setting that is no number."""
    field = Settings.model_fields[name]
    if field.annotation not in (int, float, Decimal):
        return ""
    found = {
        kind: getattr(one, kind) for one in field.metadata for kind in ("ge", "gt") if hasattr(one, kind)
    }
    return bounded(field.annotation, found.get("ge"), found.get("gt"), most(name))


def default_data_dir() -> Path:
    """Where data goes when nothing is said; root's server runs as another user, who cannot reach root's home."""
    if os.geteuid() == 0:
        return ROOTS_DIRECTORY
    return Path("~/.local/share/severa-bridge")


def default_state_dir() -> Path:
    """Where state files go when nothing is said: never the data directory, which may be restored or copied as a whole."""
    if home := os.environ.get("XDG_STATE_HOME"):
        return Path(home) / "severa-bridge"
    return ROOTS_STATE if os.geteuid() == 0 else Path("~/.local/state/severa-bridge").expanduser()


def read_settings(**overrides: object) -> Settings:
    """Settings from the environment. Raises InputError with one sentence naming the variable."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # overrides are checked by the model itself
    except ValidationError as error:
        first = error.errors()[0]
        setting = str(first["loc"][0])
        name = f"BRIDGE_{setting.upper()}"
        reason = first["msg"].removeprefix("Value error, ")
        if said := setting in Settings.model_fields and bounds(setting):
            reason = f"it must be {said}"
        raise InputError(f"{name} cannot be used: {reason[:1].lower()}{reason[1:]}.") from error
