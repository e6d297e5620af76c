"""Where the day is played: the bridge and both simulators, all in this process or as services beside it.

Embedded (no BRIDGE_DATABASE_URL): both simulators on free ports and the whole bridge run here, on a database of the day's
own. Services: poller, relay and workers run elsewhere; the day only plays the people and looks on.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from app import logs, service
from app.bootstrap import Bridge, open_bridge
from app.demo.people import ErpPeople, SeveraPeople
from app.embedded import only_process
from app.identity import PairTaken
from app.running import Everything
from app.settings import Settings, read_settings
from db import tenants
from domain.errors import InputError
from domain.setup.settings import TenantFile, read_tenant_file

THREADS = 4
# A day that passes within a minute: everything that a real installation waits for is shortened here, in both the
# settings and the simulator's own limit of calls.
PACE: dict[str, Any] = {
    "min_poll_seconds": 1,
    "visibility_lag_seconds": 1,
    "absence_seconds": 2,
    "create_limit_seconds": 10,
    "waiting_seconds": 1,
    "backoff_seconds": 0.5,
    "backoff_most_seconds": 5,
    "relay_seconds": 0.1,
    "sign_in_seconds": 5,
    "stop_seconds": 20,
    "severa_calls_per_second": 160,
}
CALLS_PER_SECOND = 200
POLL_SECONDS = 5
PATIENCE = 30.0
"""Seconds until a beat that does not settle is called unfinished: everything runs here and is quick."""
PATIENCE_SERVICES = 300.0
"""The same where others' settings decide how often is polled and re-checked."""
LOG_NAME = "bridge.log"
STATE_NAME = "beat.json"
_OURS = ".severa-bridge-demo"


@dataclass
class Stage:
    """What an act works with. ``kept``: what acts remember for later acts, by a word of their own."""

    bridge: Bridge
    severa: SeveraPeople
    erp: ErpPeople
    tenant: str
    tenant_id: UUID
    embedded: bool
    patience: float
    healthy: Callable[[], bool]
    log_file: Path
    kept: dict[str, str] = field(default_factory=dict)

    def tell(self) -> list[str]:
        """Lines about where to look around while the bridge runs."""
        program = sys.argv[0] if Path(sys.argv[0]).name == "severa-bridge" else "severa-bridge"
        command = f"BRIDGE_DATA_DIR={self.bridge.settings.data} {program}" if self.embedded else program
        return [
            f"Severa simulator         {self.severa.base_url}/rest-api",
            f"Visma.net ERP simulator  {self.erp.base_url}",
            f"Invoices as people see   {self.severa.base_url}/_sim/orgs/{self.severa.client_id}/invoices",
            f"{command} problems {self.tenant} --all",
            f"{command} log {self.tenant}",
            f"{command} trace {self.tenant} invoice 100000",
            *([f"Log of the bridge: {self.log_file}"] if self.embedded else []),
        ]


@contextmanager
def open_stage(stop: threading.Event) -> Iterator[Stage]:
    """Everything that the day needs, taken apart again at the end. Raises InputError with what to do."""
    found = read_settings()
    with ExitStack() as stack:
        if found.embedded_database:
            yield _embedded(stack, stop)
        else:
            yield _beside_services(stack, found, stop)


def _embedded(stack: ExitStack, stop: threading.Event) -> Stage:
    from simulators.server import running  # noqa: PLC0415 - services bring simulators of their own
    from simulators.severa import create_app as severa_app  # noqa: PLC0415 - as above
    from simulators.visma_net import create_app as erp_app  # noqa: PLC0415 - as above

    directory = _data_dir(stack)
    # The day's database goes when the day is over; so does what remembers it.
    settings = read_settings(
        data_dir=directory, amqp_url=None, database_url=None, state_file=directory / STATE_NAME, **PACE
    )
    log_file = directory / LOG_NAME
    _log_to(stack, log_file, settings.log_level)
    severa = SeveraPeople(stack.enter_context(running(severa_app())))
    stack.callback(severa.close)
    severa.hurry(CALLS_PER_SECOND)
    erp = ErpPeople(stack.enter_context(running(erp_app())))
    stack.callback(erp.close)
    bridge = stack.enter_context(open_bridge(settings, stop, threads=THREADS, polls=True))
    name, tenant_id = _add_tenant(bridge, severa, erp)
    everything = Everything(bridge, THREADS)
    everything.start()
    stack.callback(everything.close)
    return Stage(bridge, severa, erp, name, tenant_id, True, PATIENCE, everything.healthy, log_file)


def _beside_services(stack: ExitStack, found: Settings, stop: threading.Event) -> Stage:
    severa_url, erp_url = (
        os.environ.get(name, "") for name in ("BRIDGE_DEMO_SEVERA_URL", "BRIDGE_DEMO_ERP_URL")
    )
    if not severa_url or not erp_url:
        raise InputError(
            "With BRIDGE_DATABASE_URL the demo plays beside running services: set BRIDGE_DEMO_SEVERA_URL and "
            "BRIDGE_DEMO_ERP_URL to the addresses of 'severa-bridge simulators'."
        )
    log_file = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="severa-bridge-demo-"))) / LOG_NAME
    _log_to(stack, log_file, found.log_level)
    bridge = stack.enter_context(open_bridge(found, stop))
    severa = SeveraPeople(severa_url)
    stack.callback(severa.close)
    severa.hurry(CALLS_PER_SECOND)
    erp = ErpPeople(erp_url)
    stack.callback(erp.close)
    name, tenant_id = _add_tenant(bridge, severa, erp)
    return Stage(bridge, severa, erp, name, tenant_id, False, PATIENCE_SERVICES, lambda: True, log_file)


def _data_dir(stack: ExitStack) -> Path:
    """A temporary directory, gone at the end; or BRIDGE_DATA_DIR, kept, but only if no other bridge lives there."""
    if not os.environ.get("BRIDGE_DATA_DIR"):
        directory = Path(tempfile.mkdtemp(prefix="severa-bridge-demo-"))
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        return directory
    directory = read_settings().data
    mark = directory / _OURS
    if not mark.exists() and (directory / "postgres").exists():
        raise InputError(
            f"BRIDGE_DATA_DIR ({directory}) holds a bridge's data, which the demo leaves alone: name an empty directory, "
            "or unset it for a temporary one."
        )
    # Before anything is removed: an earlier demo may be at work here.
    stack.enter_context(only_process(directory))
    mark.touch()
    # An earlier day's records belong to simulators that are gone.
    shutil.rmtree(directory / "postgres", ignore_errors=True)
    for name in ("secret.keys", LOG_NAME):
        (directory / name).unlink(missing_ok=True)
    return directory


def _log_to(stack: ExitStack, path: Path, level: str) -> None:
    """The log goes to a file: the screen belongs to the story."""
    file = stack.enter_context(path.open("a", encoding="utf-8", buffering=1))
    with contextlib.redirect_stderr(file):
        logs.set_up(level, human=False)


def _add_tenant(bridge: Bridge, severa: SeveraPeople, erp: ErpPeople) -> tuple[str, UUID]:
    """Stores this day's tenant under a name that is free; a second day beside the same simulators goes on with the tenant
    of the first, since a pair of companies is one tenant for life. (name, id)."""
    with bridge.db.dispatch() as db:
        taken = {tenant.name for tenant in tenants.all_tenants(db)}
    name = next(name for name in _names() if name not in taken)
    try:
        service.add_tenant(bridge, tenant_file(name, severa, erp))
    except PairTaken as error:
        name = error.tenant
        service.add_tenant(bridge, tenant_file(name, severa, erp))
    return name, service.find_tenant(bridge, name).id


def _names() -> Iterator[str]:
    yield "nordkonsult"
    number = 2
    while True:
        yield f"nordkonsult-{number}"
        number += 1


def tenant_file(name: str, severa: SeveraPeople, erp: ErpPeople) -> TenantFile:
    """What the tenant's TOML file would say."""
    return read_tenant_file(
        {
            "name": name,
            "language": "sv",
            "severa": {
                "base_url": f"{severa.base_url}/rest-api",
                "client_id": severa.client_id,
                "client_secret": severa.client_secret,
            },
            "visma_net": {
                "base_url": erp.base_url,
                "auth_url": f"{erp.base_url}/connect",
                "client_id": erp.client_id,
                "client_secret": erp.client_secret,
                "tenant_id": erp.tenant_id,
            },
            "settings": {
                "poll_interval_seconds": POLL_SECONDS,
                "costs": "cost-and-fee",
                "cost_multiplier_percent": 150,
            },
        }
    )
