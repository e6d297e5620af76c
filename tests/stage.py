"""A whole installation on one machine: simulators, tenants, and the real processes, for rehearsals and benchmarks.

Everything runs as its own process, the way an operator runs it; the people's moves and the proof go over HTTP to the
simulators, never through the bridge's own database.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import commands
import httpx
from commands import PROGRAM, ROOT
from cryptography.fernet import Fernet
from services import Database

from simulators.seed import Firm, scaled

PATIENCE = float(os.environ.get("BRIDGE_TEST_PATIENCE", "6"))
"""How much slower than a quiet machine one may be before a wait counts as endless."""

# Waits that a rehearsal shortens; every one of them is a setting of the installation.
QUICK = {
    "BRIDGE_MIN_POLL_SECONDS": "2",
    "BRIDGE_VISIBILITY_LAG_SECONDS": "1",
    "BRIDGE_ABSENCE_SECONDS": "2",
    "BRIDGE_CREATE_LIMIT_SECONDS": "3",
    "BRIDGE_CLAIM_LEASE_SECONDS": "10",
    "BRIDGE_LEASE_MARGIN_SECONDS": "2",
    "BRIDGE_NOT_AFTER_SECONDS": "3",
    "BRIDGE_OUT_LEASE_SECONDS": "5",
    "BRIDGE_BACKOFF_SECONDS": "0.5",
    "BRIDGE_LOOK_UP_SECONDS": "0.5",
    "BRIDGE_POLLER_SECONDS": "0.1",
    "BRIDGE_BACKOFF_MOST_SECONDS": "5",
    "BRIDGE_WAITING_SECONDS": "2",
    "BRIDGE_RELAY_SECONDS": "0.2",
    "BRIDGE_SLOT_LEASE_SECONDS": "4",
    "BRIDGE_STOP_SECONDS": "20",
    "BRIDGE_AUDIT_SECONDS": "10",
}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def wait_for(what: str, condition: Callable[[], Any], *, seconds: float) -> Any:
    """Asks until the condition holds; an AssertionError that says what did not happen.

    ``seconds``: on a quiet machine. A loaded one is given ``PATIENCE`` times as long: whoever passes never waits for it.
    """
    deadline = time.monotonic() + seconds * PATIENCE
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError(f"within {seconds * PATIENCE:.0f} s: {what}")


@dataclass
class Stage:
    """One rehearsal's installation."""

    directory: Path
    env: dict[str, str]
    severa: str
    erp: str
    http: httpx.Client
    firms: list[Firm] = field(default_factory=list)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    # ---- processes

    def run(self, *arguments: str, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        """One command to its end."""
        return commands.run(arguments, self.env, timeout=timeout)

    def start(self, name: str, *arguments: str, module: str | None = None) -> subprocess.Popen[bytes]:
        """A long-running process; its output goes to a file of its name. ``module``: another way into the program.

        In a session of its own: Ctrl-C is for whoever rehearses, who then stops it in order.
        """
        program = PROGRAM if module is None else [sys.executable, "-m", module]
        with (self.directory / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [*program, *arguments], env=self.env, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
            )
        self.processes[name] = process
        return process

    def kill(self, name: str) -> None:
        """SIGKILL: no handler, no last words."""
        process = self.processes.pop(name)
        process.kill()
        process.wait(20)

    def stop(self, name: str) -> int:
        """SIGTERM and the exit code."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGTERM)
        return process.wait(40)

    def close(self) -> None:
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
        self.processes.clear()

    def log(self, name: str) -> str:
        return (self.directory / f"{name}.log").read_text(errors="replace")

    def processes_now(self, lines: int = 12) -> str:
        """Which processes run, and the last lines of each one's output: what a wait that failed wants to be told."""
        return "\n".join(
            "\n".join(
                [
                    f"-- {name}: {'runs' if process.poll() is None else f'ended with {process.poll()}'}",
                    *self.log(name).splitlines()[-lines:],
                ]
            )
            for name, process in self.processes.items()
        )

    # ---- tenants and people

    def add_firm(self, n: int, **settings: Any) -> Firm:
        """A firm in both simulators, added to the bridge and gone live."""
        firm = scaled(n)
        self.severa_sim("POST", "/orgs", {"firm": n})
        self.erp_sim("POST", "/companies", {"firm": n})
        lines = "\n".join(
            f'{k} = "{v}"' if isinstance(v, str) else f"{k} = {v}"
            for k, v in {"poll_interval_seconds": 2, **settings}.items()
        )
        file = self.directory / f"firm{n}.toml"
        file.write_text(
            f"""name = "firm{n}"
[severa]
base_url = "{self.severa}/rest-api"
client_id = "{firm.severa_client_id}"
client_secret = "{firm.severa_client_secret}"
[visma_net]
base_url = "{self.erp}"
auth_url = "{self.erp}/connect"
client_id = "{firm.erp_client_id}"
client_secret = "{firm.erp_client_secret}"
tenant_id = "{firm.erp_tenant_id}"
[settings]
{lines}
"""
        )
        for command in (("tenant", "add", str(file)), ("tenant", "go-live", f"firm{n}")):
            done = self.run(*command)
            assert done.returncode == 0, done.stdout + done.stderr
        self.firms.append(firm)
        return firm

    def severa_sim(self, method: str, path: str, body: Any = None) -> Any:
        return self._sim(self.severa, method, path, body)

    def erp_sim(self, method: str, path: str, body: Any = None) -> Any:
        return self._sim(self.erp, method, path, body)

    def _sim(self, base: str, method: str, path: str, body: Any) -> Any:
        answer = self.http.request(method, f"{base}/_sim{path}", json=body)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def org(self, firm: Firm, path: str) -> str:
        return f"/orgs/{firm.severa_client_id}{path}"

    def company(self, firm: Firm, path: str) -> str:
        return f"/companies/{firm.erp_tenant_id}{path}"

    def open_project(self, firm: Firm) -> Mapping[str, Any]:
        """A project that invoices can be posted on."""
        found: list[dict[str, Any]] = self.severa_sim("GET", self.org(firm, "/projects"))
        swedish = {
            c["guid"]
            for c in self.severa_sim("GET", self.org(firm, "/customers"))
            if str(c.get("vatNumber")).startswith("SE")
        }
        return next(
            p for p in found if not p["isInternal"] and not p["isClosed"] and p["customer"]["guid"] in swedish
        )

    def approve_invoice(
        self, firm: Firm, project: Mapping[str, Any], n: int, *, status: str = "transfer"
    ) -> str:
        """An invoice with two VAT rates, in the transfer status unless said otherwise; its guid."""
        rows = [
            {"code": "KONS", "description": f"Konsultation {n}", "quantity": "7.5", "unitPrice": "1250", "vatRate": 25, "rowType": "Hours", "unit": "h"},
            {"code": "BOK", "description": "Kursbok", "quantity": 1 + n % 3, "unitPrice": "249.50", "vatRate": 6, "rowType": "ProjectFees", "unit": "st"},
        ]  # fmt: skip
        made = self.severa_sim(
            "POST",
            self.org(firm, "/invoices"),
            {
                "customer": project["customer"]["guid"],
                "projects": [project["guid"]],
                "date": "2026-11-20",
                "dueDate": "2026-12-20",
                "status": status,
                "rows": rows,
            },
        )
        guid: str = made["guid"]
        return guid

    # ---- the proof, from the vendors' side only

    def booked(self) -> int:
        """Documents released by the ERP with a marker of ours."""
        return sum(
            entry["releases"]
            for firm in self.firms
            for entry in self.erp_sim("GET", self.company(firm, "/marked?prefix=severa:")).values()
        )

    def ledger(self, invoices: Mapping[Firm, list[str]]) -> Ledger:
        """Lost, duplicated, wrong: every invoice against both simulators."""
        found = Ledger()
        for firm, guids in invoices.items():
            marked = self.erp_sim("GET", self.company(firm, "/marked?prefix=severa:"))
            documents = {
                document["referenceNumber"]: document
                for document in self.erp_sim("GET", self.company(firm, "/customerinvoice"))
            }
            severa = {one["guid"]: one for one in self.severa_sim("GET", self.org(firm, "/invoices"))}
            for guid in guids:
                entry = marked.get(f"severa:{guid}", {"releases": 0, "documents": []})
                invoice = severa[guid]
                found.invoices += 1
                if entry["releases"] > 1:
                    found.duplicated.append(guid)
                if entry["releases"] == 0 or invoice["number"] is None:
                    found.lost.append(guid)
                    continue
                document = documents.get(str(invoice["number"]))
                total = Decimal(str(invoice["totalIncludingTax"]["amount"]))
                if document is None or abs(Decimal(str(document["amountInCurrency"])) - total) > Decimal(
                    "0.05"
                ):
                    found.wrong.append(guid)
                if len(entry["documents"]) > 1:
                    found.left_over.append(guid)
        return found

    def calls(self, *, reset: bool = False) -> Counter[str]:
        """Calls per method and path template, both systems."""
        query = "?reset=true" if reset else ""
        counted: Counter[str] = Counter()
        for name, base in (("severa", self.severa), ("visma_net", self.erp)):
            for row in self._sim(base, "GET", f"/calls{query}", None)["counts"]:
                counted[f"{name} {row['method']} {row['path']}"] += row["count"]
        return counted


@dataclass
class Ledger:
    """What became of every invoice."""

    invoices: int = 0
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)

    def clean(self) -> bool:
        return not (self.lost or self.duplicated or self.wrong or self.left_over)

    def __str__(self) -> str:
        return (
            f"{self.invoices} invoices: lost {len(self.lost)}, duplicated {len(self.duplicated)}, "
            f"wrong {len(self.wrong)}, left over {len(self.left_over)}"
        )


@contextlib.contextmanager
def stage(
    database: Database, amqp_url: str | None, *, simulators: str | None = None, **env: str
) -> Iterator[Stage]:
    """Simulators running, the environment of an installation prepared; processes are started by the caller.

    ``simulators``: another module to start them with.
    """
    ports = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="stage-") as name, httpx.Client(timeout=300) as http:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("BRIDGE_", "TEST_"))}
        full = {
            **clean,
            **QUICK,
            "BRIDGE_DATABASE_URL": database.app_url,
            "BRIDGE_SECRET_KEYS": Fernet.generate_key().decode(),
            "PYTHONUNBUFFERED": "1",
            **({"BRIDGE_AMQP_URL": amqp_url} if amqp_url else {}),
            **env,
        }
        made = Stage(Path(name), full, f"http://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}", http)
        made.start(
            "simulators",
            "simulators",
            "--severa-port",
            str(ports[0]),
            "--erp-port",
            str(ports[1]),
            module=simulators,
        )
        try:
            for base in (made.severa, made.erp):
                wait_for(f"{base} answers", partial(_answers, http, base), seconds=120)
            yield made
        finally:
            made.close()


def _answers(http: httpx.Client, base: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return http.get(f"{base}/_sim/settings").status_code == 200
    return False
