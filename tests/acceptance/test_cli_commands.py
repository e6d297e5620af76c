"""The commands in their order: add, go live, up until idle, look at what happened; as processes, for people and scripts."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import psycopg
import pytest
from acceptance.conftest import KEY, Desk
from cryptography.fernet import Fernet

from simulators.seed import NORDKONSULT

ORG = f"/orgs/{NORDKONSULT.severa_client_id}"


def read(done: subprocess.CompletedProcess[str]) -> Any:
    """The JSON document on standard output, and nothing else there."""
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def live(desk: Desk) -> Desk:
    """Nordkonsult added, gone live, and settled once."""
    added = desk.run("tenant", "add", desk.file())
    assert added.returncode == 0, added.stderr
    assert "go-live nordkonsult" in added.stdout
    gone = desk.run("tenant", "go-live", "nordkonsult")
    assert gone.returncode == 0, gone.stderr
    done = desk.run("up", "--until-idle", "--timeout", "60")
    assert done.returncode == 0, done.stdout + done.stderr
    return desk


def approve(desk: Desk, *, vat: int = 25) -> str:
    project = next(row for row in desk.severa.ask("GET", f"{ORG}/projects") if row["number"] == 1001)
    made = desk.severa.ask("POST", f"{ORG}/invoices", {
        "customer": project["customer"]["guid"], "projects": [project["guid"]], "date": "2026-11-20", "dueDate": "2026-12-20",
        "status": "transfer",
        "rows": [{"code": "KONS", "description": "Konsultation", "quantity": "4", "unitPrice": "1000", "vatRate": vat, "rowType": "Hours", "unit": "h"}],
    })  # fmt: skip
    return str(made["guid"])


def up(desk: Desk) -> int:
    return desk.run("up", "--until-idle", "--timeout", "60").returncode


@pytest.mark.req("R-SET-9")
def test_going_live_twice_says_so_and_changes_nothing(live: Desk) -> None:
    again = live.run("tenant", "go-live", "nordkonsult")
    assert again.returncode == 0
    assert "live already" in again.stdout


@pytest.mark.req("R-LOG-4")
def test_the_tenant_list_has_stable_keys(live: Desk) -> None:
    [row] = read(live.run("tenant", "list", "--json"))
    assert set(row) == {
        "id",
        "name",
        "state",
        "paused_domains",
        "language",
        "time_zone",
        "problems",
        "unfinished",
        "current_as_of",
    }
    with psycopg.connect(live.owner_url) as db:
        assert db.execute("select id::text from tenant").fetchall() == [(row["id"],)]
    assert (row["name"], row["state"], row["problems"], row["unfinished"]) == ("nordkonsult", "live", 0, 0)
    assert set(row["current_as_of"]) == {"severa", "visma_net"}
    assert "nordkonsult" in live.run("tenant", "list").stdout


@pytest.mark.req("R-OPS-1", "R-LOG-1", "R-LOG-2")
def test_an_invoice_is_booked_by_up_and_its_road_can_be_traced(live: Desk) -> None:
    guid = approve(live)
    assert up(live) == 0
    invoice = live.severa.ask("GET", f"{ORG}/invoices/{guid}")
    number = str(invoice["number"])
    for wanted in (guid, number):
        [road] = read(live.run("trace", "nordkonsult", "invoice", wanted, "--json"))
        assert set(road) == {"record", "link", "work", "attempts", "log"}
        assert road["link"]["erp_number"] == number
        assert [step["name"] for step in road["attempts"][-1]["steps"]]
        assert {"method", "path", "status", "seconds"} <= set(road["attempts"][-1]["calls"][0])
    assert (
        NORDKONSULT.severa_client_secret
        not in live.run("trace", "nordkonsult", "invoice", guid, "--calls", "--json").stdout
    )
    line = read(live.run("log", "nordkonsult", "--domain", "invoice", "--json"))[0]
    assert {
        "at",
        "domain",
        "direction",
        "register",
        "record_id",
        "number",
        "level",
        "outcome",
        "code",
        "sentence",
        "values",
        "duration_ms",
    } <= set(line)
    assert number in line["sentence"]
    assert number in live.run("trace", "nordkonsult", "invoice", guid).stdout


@pytest.mark.req("R-LOG-3", "R-INV-12")
def test_up_until_idle_ends_with_three_while_a_problem_is_open_and_with_zero_after_its_repair(
    live: Desk,
) -> None:
    guid = approve(live, vat=12)
    done = live.run("up", "--until-idle", "--timeout", "60")
    assert done.returncode == 3
    assert "open problems: nordkonsult 1 ('severa-bridge problems nordkonsult')" in done.stdout
    ended = live.run("up", "--until-idle", "--timeout", "60", "--json")
    assert (ended.returncode, json.loads(ended.stdout)) == (
        3, {"ended": "with_problems", "problems": [{"tenant": "nordkonsult", "problems": 1}], "waits_for": []}
    )  # fmt: skip
    [problem] = read(live.run("problems", "nordkonsult", "--json"))
    assert {
        "id",
        "domain",
        "code",
        "system",
        "register",
        "record_id",
        "number",
        "name",
        "wrong",
        "do",
        "where",
        "closes_by_itself",
        "actions",
        "values",
        "opened_at",
        "times",
    } <= set(problem)
    assert problem["record_id"] == guid
    assert problem["wrong"] in " ".join(live.run("problems", "nordkonsult").stdout.split())
    retried = live.run("retry", "nordkonsult", str(problem["id"]))
    assert retried.returncode == 0, retried.stderr
    [row] = live.severa.ask("GET", f"{ORG}/invoices/{guid}")["rows"]
    live.severa.ask("PATCH", f"{ORG}/invoicerows/{row['guid']}", {"vatRate": 25})
    live.severa.ask("POST", f"{ORG}/invoices/{guid}/status", {"status": "transfer"})
    assert up(live) == 0
    closed = read(live.run("problems", "nordkonsult", "--all", "--json"))
    assert [row["closed_at"] is not None for row in closed] == [True] * len(closed)


def test_up_until_idle_ends_with_four_when_its_time_is_over(live: Desk) -> None:
    live.erp.arm("status", "/v2/customerinvoice", times=None, status=503)
    try:
        approve(live)
        done = live.run("up", "--until-idle", "--timeout", "4")
        assert done.returncode == 4
        assert "Out of time after 4 s. It waited for:\n  nordkonsult: 1 of invoice (" in done.stdout
    finally:
        live.erp.disarm()
    assert up(live) == 0


def test_every_command_that_looks_on_prints_the_rows_that_are_declared(live: Desk) -> None:
    """Each prints through its declaration: a row that is another ends with a traceback."""
    filters = ("--since", "2020-01-01", "--domain", "invoice", "--search", "faktura")
    for arguments in (
        ("problems", "nordkonsult", "--all", *filters),
        ("problems", "nordkonsult", "--all", "--count"),
        ("log", "nordkonsult", *filters),
        ("log", "nordkonsult", "--count"),
        ("gaps", "nordkonsult"),
        ("review", "nordkonsult"),
        ("doubt", "list", "nordkonsult"),
        ("tenant", "branch", "nordkonsult"),
        ("tenant", "erased"),
        ("db", "status"),
        ("class", "nordkonsult", "customer", "10001"),
        ("tenant", "show", "nordkonsult"),
    ):
        read(live.run(*arguments, "--json"))
    assert read(live.run("tenant", "go-live", "nordkonsult", "--json")) == {
        "tenant": "nordkonsult", "live": True, "was_live": True, "read": [],
    }  # fmt: skip


@pytest.mark.req("R-SET-7", "R-SET-9")
def test_the_settings_of_a_tenant_are_shown_with_who_changed_what(live: Desk) -> None:
    changed = read(live.run("tenant", "set", "nordkonsult", "small_balance_limit", "12", "--json"))
    assert (changed["value"], changed["warnings"]) == ("12", [])
    shown = read(live.run("tenant", "show", "nordkonsult", "--json"))
    assert {"key": "small_balance_limit", "value": "12", "stored": True} in shown["settings"]
    newest, *_, first = shown["versions"]
    assert newest["changed"] == {"small_balance_limit": "12"}
    assert newest["made_by"]
    assert first["changed"]["poll_interval_seconds"] == 1
    said = live.run("tenant", "show", "nordkonsult").stdout
    assert "small_balance_limit = 12" in said
    assert "times in Europe/Stockholm" in said


@pytest.mark.req("R-LOG-1")
def test_the_log_is_counted_and_goes_to_excel(live: Desk) -> None:
    # What going live brings, so that the test needs no other one before it.
    counted = read(live.run("log", "nordkonsult", "--cause", "customer.linked", "--count", "--json"))
    lines = read(live.run("log", "nordkonsult", "--cause", "customer.linked", "--json"))
    assert [row["n"] for row in counted] == [len(lines)]
    sheet = live.run("log", "nordkonsult", "--cause", "customer.linked", "--csv").stdout
    assert sheet.startswith("\ufefftime;domain;number;name;level;outcome;what happened;code")
    assert len(sheet.splitlines()) == 1 + len(lines)
    one_line = live.run("log", "nordkonsult", "--cause", "customer.linked", COLUMNS="40").stdout
    assert sum(line["sentence"] in one_line for line in lines) == len(lines)


@pytest.mark.req("R-SET-9")
def test_pause_and_resume_are_shown_and_unknown_domains_refused(live: Desk) -> None:
    assert live.run("tenant", "pause", "nordkonsult", "--domain", "invoice").returncode == 0
    assert read(live.run("tenant", "list", "--json"))[0]["paused_domains"] == ["invoice"]
    assert live.run("tenant", "pause", "nordkonsult", "--domain", "invoices").returncode == 2
    assert live.run("tenant", "resume", "nordkonsult", "--domain", "invoice").returncode == 0


def test_doctor_says_what_works_and_ends_with_two_when_something_does_not(live: Desk) -> None:
    checks = read(live.run("doctor", "--json"))
    assert {"what", "fine", "found"} == set(checks[0])
    assert all(check["fine"] for check in checks)
    live.erp.arm("status", "/connect/token", times=None, status=400, body={"error": "invalid_client"})
    live.erp.ask("POST", "/tokens/expire", {})
    try:
        done = live.run("doctor", "--json")
    finally:
        live.erp.disarm()
    assert done.returncode == 2
    assert [check["what"] for check in json.loads(done.stdout) if not check["fine"]] == [
        "nordkonsult: Visma.net ERP"
    ]


@pytest.mark.req("R-OPS-3")
def test_doctor_sees_what_cuts_the_readings_though_both_systems_answer(live: Desk) -> None:
    values = '{"system": "severa", "register": "invoices", "text": "AssertionError: charset"}'
    with psycopg.connect(live.owner_url, autocommit=True) as db:
        db.execute(
            """insert into problem (tenant_id, domain, subject, system, register, record_id, number, name, code, values)
               select id, 'poll', 'test', 'severa', 'invoices', '', '', '', 'poll.defect', %s from tenant""",
            [values],
        )
        try:
            done = live.run("doctor", "--json")
        finally:
            db.execute("update problem set closed_at = now(), closed_how = 'test' where subject = 'test'")
    assert done.returncode == 2
    [found] = [check for check in json.loads(done.stdout) if not check["fine"]]
    assert found["what"] == "nordkonsult: Severa invoices"
    assert "AssertionError: charset" in found["found"]


@pytest.mark.req("R-OPS-2")
def test_a_new_key_takes_over_by_rotation_and_the_old_one_can_be_dropped(live: Desk) -> None:
    new = live.run("secrets", "new-key").stdout.strip()
    Fernet(new)

    def rotate(*keys: str) -> int:
        return live.run("secrets", "rotate", BRIDGE_SECRET_KEYS=",".join(keys)).returncode

    assert [rotate(new), rotate(new, KEY), rotate(KEY), rotate(KEY, new)] == [2, 0, 2, 0]


def test_every_command_explains_itself_and_lists_its_options() -> None:
    """In this process: forty interpreters would say the same and take a minute."""
    import typer.main  # noqa: PLC0415
    from typer.testing import CliRunner  # noqa: PLC0415

    from app.cli import app  # noqa: PLC0415

    runner = CliRunner(env={"COLUMNS": "240", "NO_COLOR": "1", "TERM": "dumb"})

    def walk(command: Any, path: list[str]) -> int:
        shown = runner.invoke(app, [*path, "--help"])
        assert shown.exit_code == 0, path
        assert (command.help or "").strip(), path
        for parameter in command.params:
            if parameter.param_type_name == "option":
                assert parameter.help, (path, parameter.name)
                for name in parameter.opts:
                    assert name in shown.output, (path, name)
        children = getattr(command, "commands", {})
        return 1 + sum(walk(child, [*path, name]) for name, child in children.items())

    assert walk(typer.main.get_command(app), []) > 15
