"""`db status`, `db adopt` and `doctor` on a database that was restored, for people and for scripts."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest
from acceptance.conftest import Desk

pytestmark = pytest.mark.timeout(1800)


def read(desk: Desk, *arguments: str) -> Any:
    done = desk.run(*arguments)
    assert done.returncode == 0, (done.stdout, done.stderr)
    return json.loads(done.stdout)


def by_hand(desk: Desk, statement: str) -> Any:
    with psycopg.connect(desk.owner_url, autocommit=True) as db:
        done = db.execute(statement)  # type: ignore[call-overload, unused-ignore]  # a test's own text
        return done.fetchall() if done.description else None


@pytest.mark.req("R-OPS-4")
def test_a_restored_database_is_explained_adopted_and_audited(desk: Desk) -> None:
    assert desk.run("tenant", "add", desk.file()).returncode == 0
    assert desk.run("tenant", "go-live", "nordkonsult").returncode == 0
    assert desk.run("up", "--until-idle", "--timeout", "100").returncode == 0
    fine = read(desk, "db", "status", "--json")
    assert (fine["writes"], fine["epoch"], fine["remembered"], fine["trouble"]) == ("on", 1, True, {})
    assert "Writes are on." in desk.run("db", "status").stdout

    # what a restore does: the row is written by another transaction
    by_hand(desk, "update installation set epoch = epoch")
    off = read(desk, "db", "status", "--json")
    assert (off["writes"], off["found"]) == ("off", "restored")
    said = desk.run("db", "status").stdout
    assert "Writes are off. This database was restored from a dump" in " ".join(said.split())
    doctor = desk.run("doctor")
    assert doctor.returncode == 2
    assert "restored from a dump" in " ".join((doctor.stdout + doctor.stderr).split())
    assert "writes_are_off" in desk.run("tenant", "list").stderr
    assert desk.run("up", "--until-idle", "--timeout", "5").stderr.count("writes_are_off") <= 2

    # nobody can be asked here, so nothing is changed
    for refused in (("db", "adopt"), ("db", "adopt", "--json")):
        done = desk.run(*refused)
        assert done.returncode == 2
        assert "--yes" in done.stderr
    assert read(desk, "db", "status", "--json")["writes"] == "off"

    adopted = desk.run("db", "adopt", "--yes")
    assert adopted.returncode == 0
    text = " ".join(adopted.stdout.split())
    assert "restored from a dump" in text
    assert "nothing is sent for 4 seconds" in text or "nothing is sent for 5 seconds" in text
    assert "epoch 2" in text
    assert [row[0]["found"] for row in by_hand(desk, "select details from audit_log where action = 'database.adopted'")] == ["restored"]  # fmt: skip
    assert desk.run("up", "--until-idle", "--timeout", "100").returncode == 0
    assert read(desk, "db", "status", "--json")["writes"] == "on"


def test_adopting_for_a_script_says_before_and_after(desk: Desk) -> None:
    before = read(desk, "db", "status", "--json")["epoch"]
    done = read(desk, "db", "adopt", "--yes", "--json")
    assert done["found"]["found"] == "same"
    assert done["adopted"]["epoch"] == before + 1
    assert done["adopted"]["quiet_until"] is not None
    assert "Writes pause." in done["adopted"]["sentence"]


def test_a_state_file_that_cannot_be_written_is_said(desk: Desk) -> None:
    (desk.directory / "a file").touch()
    bad = str(desk.directory / "a file" / "beat.json")
    found = json.loads(desk.run("db", "status", "--json", BRIDGE_STATE_FILE=bad).stdout)
    assert "state file" in found["trouble"]
    doctor = desk.run("doctor", BRIDGE_STATE_FILE=bad)
    assert doctor.returncode == 2
    assert "beat.json" in doctor.stdout + doctor.stderr
