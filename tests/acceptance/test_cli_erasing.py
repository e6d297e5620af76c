"""``tenant erase`` as an operator runs it: asked for its options and the name, stopped with Ctrl-C, run again, and what is left."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import zipfile
from typing import Any

import commands
import psycopg
import pytest
from acceptance.conftest import Desk
from acceptance.test_cli_bad_input import one_sentence

# Many commands one after the other, each a process.
pytestmark = pytest.mark.timeout(900)

# A call of which nobody has heard an answer, as a worker's begin leaves it.
CALL = """
with m as (insert into matter (tenant_id, domain, severa_register, severa_id, severa_number)
           select id, 'invoice', 'invoices', 'guid', '1017' from tenant returning tenant_id, id),
     a as (insert into attempt (tenant_id, id, delivery, outbox_id, domain, matter_id, worker)
           select tenant_id, gen_random_uuid(), gen_random_uuid(), 1, 'invoice', id, 'gone' from m returning *),
     d as (insert into document (tenant_id, matter_id, type, nonce, state) select tenant_id, id, 'Invoice', 'n', 'asked' from m)
insert into step (tenant_id, attempt_id, name, delivery, matter_id, domain, sent_at, not_after, settles_at)
select tenant_id, id, 'create', delivery, matter_id, 'invoice', bridge_now(), bridge_now(), bridge_now() + interval '10 minutes' from a
"""


@pytest.fixture
def added(desk: Desk) -> Desk:
    """A tenant that has a call out."""
    done = desk.run("tenant", "add", desk.file())
    assert done.returncode == 0, done.stderr
    sql(desk, CALL)
    return desk


def sql(desk: Desk, query: str) -> None:
    with psycopg.connect(desk.owner_url, autocommit=True) as owner:
        owner.execute(query.encode())


def tenants(desk: Desk) -> list[tuple[str, str]]:
    done = desk.run("tenant", "list", "--json")
    return [(row["name"], row["state"]) for row in json.loads(done.stdout)]


def typed(desk: Desk, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command at a terminal, at which this is typed."""
    ours, theirs = pty.openpty()
    try:
        os.write(ours, f"{text}\n".encode())
        return commands.run(arguments, desk.env, timeout=600, terminal=os.ttyname(theirs))
    finally:
        os.close(ours)
        os.close(theirs)


def read(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.req("R-OPS-5", "R-LOG-4")
def test_a_tenant_is_erased_step_by_step(added: Desk) -> None:
    desk, file = added, added.directory / "nordkonsult.zip"
    erase = ("tenant", "erase", "nordkonsult")

    one_sentence(desk.run(*erase, "--yes", "--export", str(file), "--without-export"), "--export")
    one_sentence(desk.run(*erase, "--without-export", "--json"), "--yes")
    one_sentence(typed(desk, "nordkonsul", *erase, "--without-export"), "not the tenant's name")
    assert tenants(desk) == [("nordkonsult", "new")]

    waiting = desk.start(*erase, "--export", str(file), "--yes")
    assert waiting.stdout is not None
    said = waiting.stdout.readline()
    assert "Waits for 1 call without an answer, until 20" in said
    assert "(UTC) at the latest" in said
    waiting.send_signal(signal.SIGINT)
    out, _ = waiting.communicate(timeout=600)
    assert waiting.returncode == 130
    assert "when it is run again" in out
    assert tenants(desk) == [("nordkonsult", "leaving")]
    assert not file.exists()
    one_sentence(desk.run("tenant", "go-live", "nordkonsult"), "is leaving", "tenant resume")

    sql(desk, "update step set settles_at = bridge_now() - interval '1 second'")
    refused = desk.run(*erase, "--export", str(file), "--yes", "--json")
    assert refused.returncode == 2
    assert "--anyway" in refused.stderr
    [left] = json.loads(refused.stdout)["unfinished"]
    assert (left["what"], left["domain"], left["number"]) == ("held", "invoice", "1017")
    shown = typed(desk, "no", *erase, "--export", str(file))
    assert "invoice 1017: may stand on hold Invoice" in shown.stdout

    done = typed(desk, "nordkonsult", *erase, "--export", str(file), "--anyway")
    assert done.returncode == 0, done.stderr
    assert "Tenant 'nordkonsult' is erased" in done.stdout
    assert "exported connection" in done.stdout
    assert "erased matter" in done.stdout
    with zipfile.ZipFile(file) as archive:
        assert json.loads(archive.read("manifest.json"))["tenant"] == "nordkonsult"
    assert tenants(desk) == []

    [gone] = read(desk.run("tenant", "erased", "--json"))
    assert set(gone) == {"id", "name", "who", "began_at", "ended_at", "exported_to", "counts", "unfinished"}
    assert (gone["name"], gone["exported_to"], gone["unfinished"]) == ("nordkonsult", str(file), {"held": 1})
    assert gone["counts"]["connection"] == 2

    again = desk.run("tenant", "add", desk.file("nordkonsult-again"))
    assert again.returncode == 0, again.stderr
    whole = read(desk.run("tenant", "erase", "nordkonsult-again", "--without-export", "--yes", "--json"))
    assert (whole["name"], whole["exported_to"]) == ("nordkonsult-again", "")
