"""The demo as people run it: the real command in a process of its own, both simulators, a real PostgreSQL."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from services import Database

from app.demo.proof import Proof, prove, strangers
from simulators.server import running
from simulators.severa import create_app as severa_app
from simulators.visma_net import create_app as erp_app

BRIDGE = str(Path(sys.executable).with_name("severa-bridge"))
LINE = re.compile(
    r"^(?P<who>.+?) +(?P<severa>-?[\d ]+\.\d\d) +(?P<erp>-?[\d ]+\.\d\d) (?P<currency>[A-Z]{3}) "
    r"(?P<number>\d+) (?P<role>[a-z ]+?) +(?P<status>[A-Z][a-z]+) +(?P<outcome>proven|NOT PROVEN)\s*$",
    re.MULTILINE,
)


@pytest.fixture
def place() -> Iterator[Path]:
    """An empty directory that others may pass: a database server started by root runs as another user."""
    with tempfile.TemporaryDirectory(prefix="demo-test-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        yield directory


def run(*command: str, seconds: float = 900, **more: str) -> subprocess.CompletedProcess[str]:
    """The command with this environment and nothing of a developer's own installation."""
    return subprocess.run(
        command,
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def rows_of(output: str) -> list[dict[str, str]]:
    """The rows of the summary."""
    return [found.groupdict() for found in LINE.finditer(output.split("The day in one table")[1])]


@pytest.mark.req("R-INV-4", "R-INV-7", "R-INV-11", "R-PAY-1", "R-PAY-2", "R-CON-1", "R-CST-3")
def test_the_day_ends_by_itself_with_every_invoice_proven(place: Path) -> None:
    day = run(BRIDGE, "demo", "--once", TMPDIR=str(place))

    assert day.returncode == 0, day.stdout + day.stderr
    assert day.stderr == ""
    rows = rows_of(day.stdout)
    assert "7 of 7 invoices proven" in day.stdout
    assert [row["outcome"] for row in rows] == ["proven"] * 7
    assert all(row["severa"].split() == row["erp"].split() for row in rows)
    assert len({row["number"] for row in rows}) == 7
    assert sorted(row["role"] for row in rows) == ["paid"] * 4 + ["partly paid"] + ["sent"] * 2
    assert [row["currency"] for row in rows].count("EUR") == 1
    assert "✗" not in day.stdout
    assert "The invoice waited for both and went on by itself." in day.stdout
    assert "Troligast är rad 2: Kursböcker: 25 % i Severa, 6 % i Visma.net ERP." in " ".join(
        day.stdout.split()
    )
    assert max(len(line) for line in day.stdout.splitlines() if "|" not in line) <= 100
    assert list(place.iterdir()) == []


TAMPERED = """
import sys
import app.demo.stage
from app.demo import play
from app.demo.day import DAY, Act, Beat
from app.demo.watch import Expect

app.demo.stage.PATIENCE = 15.0

def void(stage):
    number = stage.severa.look_at("invoices", stage.kept["erik"])["number"]
    stage.erp.edit("customerinvoice", str(number), status="Voided")
    return []

never = Expect("a thing that never comes about", lambda stage, facts: None)
behind = Act("Behind the bridge's back", (Beat("Somebody voids a document.", void, (never,)),))
sys.exit(play(once=True, acts=(DAY[0], DAY[1], behind)))
"""


def test_a_document_changed_behind_the_bridges_back_fails_the_proof(place: Path) -> None:
    day = run(sys.executable, "-c", textwrap.dedent(TAMPERED), TMPDIR=str(place))

    assert day.returncode == 1, day.stdout + day.stderr
    assert sorted(row["outcome"] for row in rows_of(day.stdout)) == ["NOT PROVEN", "proven", "proven"]
    said = " ".join(day.stdout.split())
    assert "2 of 3 invoices proven" in said
    assert "its document is Voided, not released" in said
    assert "It did not come about: a thing that never comes about." in said


def test_the_bridge_runs_on_after_the_summary_until_ctrl_c(place: Path) -> None:
    data = place / "data"
    env = {**os.environ, "BRIDGE_DATA_DIR": str(data)}
    with subprocess.Popen(
        [BRIDGE, "demo"], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as day:
        try:
            seen = [day.stdout.readline()] if day.stdout else []
            while seen[-1] and "Log of the bridge" not in seen[-1]:
                seen.append(day.stdout.readline() if day.stdout else "")
            assert day.poll() is None, "".join(seen)
            problems = run(BRIDGE, "problems", "nordkonsult", "--all", "--json", BRIDGE_DATA_DIR=str(data))
            assert {one["code"] for one in json.loads(problems.stdout)} >= {"invoice.total_would_differ"}
            day.send_signal(signal.SIGINT)
            rest, _ = day.communicate(timeout=300)
        finally:
            day.kill()

    assert day.returncode == 0, "".join(seen) + rest
    assert rest.strip() == "Stopped."
    assert not (data / "postgres" / "postmaster.pid").exists()


def test_another_bridges_data_is_left_alone(place: Path) -> None:
    (place / "postgres").mkdir()
    (place / "postgres" / "PG_VERSION").write_text("17")

    day = run(BRIDGE, "demo", "--once", BRIDGE_DATA_DIR=str(place))

    assert day.returncode == 2
    assert "holds a bridge's data, which the demo leaves alone" in day.stderr
    assert [path.name for path in place.iterdir()] == ["postgres"]
    assert (place / "postgres" / "PG_VERSION").read_text() == "17"


def test_beside_services_the_addresses_of_the_simulators_are_asked_for() -> None:
    day = run(BRIDGE, "demo", "--once", BRIDGE_DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing")

    assert day.returncode == 2
    assert "BRIDGE_DEMO_SEVERA_URL and BRIDGE_DEMO_ERP_URL" in " ".join(day.stderr.split())


@contextmanager
def process(env: dict[str, str], *command: str) -> Iterator[subprocess.Popen[str]]:
    """A part of the bridge that runs beside the demo and is asked to stop at the end."""
    with subprocess.Popen(
        [BRIDGE, *command], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as part:
        try:
            yield part
            assert part.poll() is None, part.stderr.read() if part.stderr else ""
        finally:
            part.terminate()
            try:
                part.communicate(timeout=300)
            finally:
                part.kill()


def test_the_same_day_is_played_beside_running_services(database: Database, amqp_url: str) -> None:
    with running(severa_app()) as severa, running(erp_app()) as erp:
        env = {
            **os.environ,
            "BRIDGE_DATABASE_URL": database.app_url,
            "BRIDGE_AMQP_URL": amqp_url,
            "BRIDGE_SECRET_KEYS": Fernet.generate_key().decode(),
            "BRIDGE_DEMO_SEVERA_URL": severa,
            "BRIDGE_DEMO_ERP_URL": erp,
            "BRIDGE_CREATE_LIMIT_SECONDS": "10",
            "BRIDGE_VISIBILITY_LAG_SECONDS": "1",
            "BRIDGE_WAITING_SECONDS": "2",
            "BRIDGE_SEVERA_CALLS_PER_SECOND": "100",
            "BRIDGE_LOG_LEVEL": "warning",
        }
        # Polls come by 'run now' alone: the floor of a minute holds for the demo's tenant too.
        with process(env, "poller"), process(env, "relay"), process(env, "worker", "--threads", "4"):
            day = run(BRIDGE, "demo", "--once", seconds=200, **env)

    assert day.returncode == 0, day.stdout + day.stderr
    assert [row["outcome"] for row in rows_of(day.stdout)] == ["proven"] * 7


# ---------------------------------------------------------------- the proof itself

INVOICE: dict[str, Any] = {
    "guid": "a1",
    "number": 100000,
    "referenceNumber": "1000009",
    "status": {"guid": "s"},
    "customer": {"name": "Mälarbygg"},
    "isCreditNote": False,
    "currency": {"code": "SEK"},
    "paymentDate": None,
    "totalIncludingTax": {"amount": Decimal("125.00")},
    "totalTax": {"amount": Decimal("25.00")},
}
DOCUMENT: dict[str, Any] = {
    "documentType": "Invoice",
    "referenceNumber": "100000",
    "status": "Open",
    "currencyId": "SEK",
    "amountInCurrency": Decimal("125.00"),
    "balanceInCurrency": Decimal("125.00"),
    "vatTotalInCurrency": Decimal("25.00"),
    "paymentReference": "1000009",
}
MARKED: dict[str, Any] = {
    "severa:a1": {"documents": [{"type": "Invoice", "number": "100000"}], "releases": 1}
}


def proof_of(
    role: str = "sent",
    *,
    invoice: dict[str, Any] | None = None,
    document: dict[str, Any] | None = None,
    marked: dict[str, Any] | None = None,
    sent: list[dict[str, Any]] | None = None,
) -> Proof:
    return prove(
        [INVOICE | (invoice or {})],
        [DOCUMENT | (document or {})],
        MARKED if marked is None else marked,
        sent or [],
        lambda _invoice: role,
    )[0]


@pytest.mark.req("R-INV-4")
@pytest.mark.parametrize("erp_total", ["125.00", "125.05", "124.95"])
def test_totals_within_five_hundredths_are_proven(erp_total: str) -> None:
    total = Decimal(erp_total)
    assert proof_of(document={"amountInCurrency": total, "balanceInCurrency": total}).wrong == ()


def test_a_credit_note_is_compared_with_its_sign() -> None:
    document = {"documentType": "CreditNote"}
    marked = {"severa:a1": {"documents": [{"type": "CreditNote", "number": "100000"}], "releases": 1}}
    negative = {"totalIncludingTax": {"amount": Decimal(-125)}, "totalTax": {"amount": Decimal(-25)}}
    assert proof_of(invoice=negative, document=document, marked=marked).wrong == ()
    assert "is 125.00 in Severa, -125.00 in the ERP" in proof_of(document=document, marked=marked).wrong


@pytest.mark.req("R-INV-3", "R-INV-4", "R-INV-6", "R-INV-13", "R-PAY-1")
@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        (
            {"document": {"amountInCurrency": Decimal("125.06"), "balanceInCurrency": Decimal("125.06")}},
            "125.06",
        ),
        ({"document": {"vatTotalInCurrency": Decimal("24.00")}}, "has VAT 25.00"),
        ({"document": {"currencyId": "EUR"}}, "its document in EUR"),
        ({"document": {"status": "Hold"}}, "Hold, not released"),
        ({"document": {"paymentReference": "42"}}, "payment reference"),
        ({"invoice": {"number": 7}}, "has number 7"),
        ({"marked": {}}, "has 0 documents"),
        ({"role": "failed"}, "stands in 'failed'"),
        ({"role": "paid"}, "stands in 'paid', but 125.00"),
        ({"document": {"balanceInCurrency": Decimal(25)}}, "stands in 'sent', but 25"),
        ({"sent": [{"type": "Invoice", "number": "100000"}]}, "sent to the customer by the ERP"),
    ],
)
def test_what_does_not_agree_is_named(changed: dict[str, Any], wrong: str) -> None:
    proof = proof_of(**changed)
    assert not proof.proven
    assert len(proof.wrong) == 1
    assert wrong in proof.wrong[0]


@pytest.mark.req("R-INV-13")
def test_a_second_document_or_release_is_found() -> None:
    twice = deepcopy(MARKED)
    twice["severa:a1"]["releases"] = 2
    assert proof_of(marked=twice).wrong == ("was released 2 times",)
    both = [DOCUMENT, DOCUMENT | {"referenceNumber": "100001"}]
    twice["severa:a1"]["documents"].append({"type": "Invoice", "number": "100001"})
    found = prove([INVOICE], both, twice, [], lambda _invoice: "sent")[0]
    assert found.wrong == ("has 2 documents in the ERP, not one",)


def test_a_document_of_an_unknown_invoice_is_a_stranger() -> None:
    assert strangers([INVOICE], MARKED) == []
    assert strangers([], MARKED) == ["100000"]
