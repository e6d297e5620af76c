"""One company with both strange servers and its tenant in the bridge, and an installation that hosts several of them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import commands
from acceptance.strangers import erp as erp_side
from acceptance.strangers import severa as severa_side
from acceptance.strangers.erp import Erp
from acceptance.strangers.serving import serving
from acceptance.strangers.severa import Severa
from acceptance.strangers.ways import Personality
from commands import PROGRAM, ROOT
from vendor_sources import BEST, SYSTEMS, interface


@dataclass
class Company:
    """A personality's servers and its tenant."""

    name: str
    personality: Personality
    severa: Severa
    erp: Erp
    things: dict[str, Any] = field(default_factory=dict)
    """What the play keeps by name: customers, projects, invoices."""

    def file(self, directory: Path) -> str:
        """The tenant's TOML file."""
        path = directory / f"{self.name}.toml"
        path.write_text(
            f"""name = "{self.name}"
language = "en"
[severa]
base_url = "{self.severa.url}/rest-api"
client_id = "{severa_side.CLIENT}"
client_secret = "{severa_side.SECRET}"
[visma_net]
base_url = "{self.erp.url}"
auth_url = "{self.erp.url}/connect"
client_id = "{erp_side.CLIENT}"
client_secret = "{erp_side.SECRET}"
tenant_id = "{erp_side.TENANT}"
[settings]
poll_interval_seconds = 1
"""
        )
        return str(path)


@dataclass
class Installation:
    """The bridge as an operator runs it: commands as processes, the embedded database."""

    directory: Path
    env: dict[str, str]
    companies: list[Company]

    def run(self, *arguments: str, timeout: float = 150) -> subprocess.CompletedProcess[str]:
        """One command to its end."""
        return commands.run(arguments, self.env, timeout=timeout)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A long-running command; its output goes to a file of the command's name."""
        with (self.directory / f"{arguments[0]}.log").open("w") as out:
            return subprocess.Popen(
                [*PROGRAM, *arguments], env=self.env, cwd=ROOT, stdout=out, stderr=out, text=True
            )

    def said(self, command: str) -> str:
        """What a long-running command said so far."""
        return (self.directory / f"{command}.log").read_text(errors="replace")

    def read(self, *arguments: str) -> Any:
        """The JSON of a command."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return json.loads(done.stdout)


@contextmanager
def installation(
    directory: Path, personalities: Sequence[Personality], waits: dict[str, str]
) -> Iterator[Installation]:
    """Both servers of every personality, running."""
    severa_document, erp_document = (interface(BEST, name) for name in SYSTEMS)
    directory.chmod(0o755)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("BRIDGE_", "TEST_"))}
    env = {**clean, **waits, "BRIDGE_DATA_DIR": str(directory / "data"), "PYTHONUNBUFFERED": "1"}
    with ExitStack() as stack:
        companies = []
        for personality in personalities:
            severa = Severa(severa_document, personality.severa)
            erp = Erp(erp_document, personality.erp)
            stack.enter_context(serving(severa))
            stack.enter_context(serving(erp))
            companies.append(Company(personality.name, personality, severa, erp))
        yield Installation(directory, env, companies)
