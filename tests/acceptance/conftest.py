"""The program as an operator runs it: commands as processes, beside simulators that other processes reach."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import commands
import httpx
import pytest
from commands import PROGRAM, ROOT
from road import Simulator, simulators
from services import PostgresServer

from simulators.seed import NORDKONSULT

KEY = "mT6n0p1W0cUeYl8bq4qv0m3xq9d3m0u3cI3m5o0w1sA="


@dataclass
class Desk:
    """An operator's shell: an environment, a directory for files, and both vendors."""

    env: dict[str, str]
    directory: Path
    severa: Simulator
    erp: Simulator
    owner_url: str

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return commands.run(arguments, {**self.env, **env}, timeout=120)

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """A long-running command; its output is piped."""
        return subprocess.Popen(
            [*PROGRAM, *arguments], env={**self.env, **env}, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )  # fmt: skip

    def file(self, name: str = "nordkonsult", *, extra: str = "", **changed: str) -> str:
        """The path of a tenant file; ``changed`` replaces connection values."""
        values = {
            "severa_url": f"{self.severa.url}/rest-api",
            "severa_client_id": NORDKONSULT.severa_client_id,
            "severa_client_secret": NORDKONSULT.severa_client_secret,
            "erp_url": self.erp.url,
            "auth_url": f"{self.erp.url}/connect",
            "erp_client_id": NORDKONSULT.erp_client_id,
            "erp_client_secret": NORDKONSULT.erp_client_secret,
            "tenant_id": NORDKONSULT.erp_tenant_id,
            **changed,
        }
        path = self.directory / f"{name}.toml"
        path.write_text(
            f"""name = "{name}"
language = "en"
{extra}
[severa]
base_url = "{values["severa_url"]}"
client_id = "{values["severa_client_id"]}"
client_secret = "{values["severa_client_secret"]}"
[visma_net]
base_url = "{values["erp_url"]}"
auth_url = "{values["auth_url"]}"
client_id = "{values["erp_client_id"]}"
client_secret = "{values["erp_client_secret"]}"
tenant_id = "{values["tenant_id"]}"
[settings]
poll_interval_seconds = 1
""",
            encoding="utf-8",
        )
        return str(path)


def clean_environment(**more: Any) -> dict[str, str]:
    """This process's environment without an installation's own settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("BRIDGE_", "TEST_", "COV_"))}
    return {
        **kept,
        "BRIDGE_MIN_POLL_SECONDS": "1",
        "BRIDGE_SECRET_KEYS": KEY,
        "NO_COLOR": "1",
        "COLUMNS": "200",
        **more,
    }


@pytest.fixture(scope="module")
def vendors() -> Iterator[tuple[Simulator, Simulator]]:
    with simulators() as both:
        both[0].ask("PATCH", "/settings", {"calls_per_second": None})
        yield both


@pytest.fixture(scope="module")
def desk(
    postgres_server: PostgresServer,
    vendors: tuple[Simulator, Simulator],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Desk]:
    """An empty installation on a PostgreSQL by URL, shared by the tests of a file."""
    database = postgres_server.create()
    directory = tmp_path_factory.mktemp("desk")
    env = clean_environment(
        BRIDGE_DATABASE_URL=database.app_url,
        BRIDGE_DATA_DIR=str(directory / "data"),
        BRIDGE_SEVERA_CALLS_PER_SECOND="500",
        BRIDGE_VISIBILITY_LAG_SECONDS="0.5",
        BRIDGE_ABSENCE_SECONDS="0.5",
        BRIDGE_CREATE_LIMIT_SECONDS="2",
        BRIDGE_NOT_AFTER_SECONDS="2",
        BRIDGE_LEASE_MARGIN_SECONDS="0.3",
        BRIDGE_BACKOFF_SECONDS="0.2",
        BRIDGE_WAITING_SECONDS="0.5",
        BRIDGE_STOP_SECONDS="10",
    )
    yield Desk(env, directory, *vendors, database.owner_url)
    postgres_server.drop(database)


def answers(url: str) -> bool:
    """Whether an address answers 200."""
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
