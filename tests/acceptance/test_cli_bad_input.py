"""Bad input: one sentence that says what to do, on standard error, exit code 2, and nothing half done."""

from __future__ import annotations

import subprocess

import psycopg
import pytest
from acceptance.conftest import Desk
from services import PostgresServer
from stage import free_port

from simulators.seed import NORDKONSULT


def one_sentence(done: subprocess.CompletedProcess[str], *words: str) -> str:
    """The sentence on standard error; fails unless it is one, names these words, and the exit code is 2."""
    said = [line for line in done.stderr.splitlines() if line.strip()]
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    assert len(said) == 1, done.stderr
    assert said[0].startswith("severa-bridge: ")
    assert said[0].endswith((".", "?"))
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in said[0], said[0]
    return said[0]


def nothing_stored(desk: Desk) -> None:
    with psycopg.connect(desk.owner_url) as db:
        assert db.execute("select count(*) from tenant").fetchone() == (0,)
        assert db.execute("select count(*) from connection").fetchone() == (0,)


@pytest.mark.req("R-SET-1")
def test_an_unknown_key_in_the_tenant_file_is_named(desk: Desk) -> None:
    done = desk.run("tenant", "add", desk.file(extra='colour = "red"'))
    one_sentence(done, "colour", "tenant file")
    nothing_stored(desk)


@pytest.mark.req("R-SET-1")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = ", ("TOML",)),
        ('name = "x"', ("severa",)),
    ],
    ids=["no TOML", "a missing section"],
)
def test_a_file_that_cannot_be_used_is_explained(desk: Desk, text: str, words: tuple[str, ...]) -> None:
    path = desk.directory / "broken.toml"
    path.write_text(text, encoding="utf-8")
    one_sentence(desk.run("tenant", "add", str(path)), *words)
    nothing_stored(desk)


def test_a_file_that_is_not_there_is_named(desk: Desk) -> None:
    one_sentence(desk.run("tenant", "add", str(desk.directory / "nowhere.toml")), "nowhere.toml")


@pytest.mark.req("R-SET-2")
@pytest.mark.parametrize("system", ["Severa", "Visma.net ERP"])
def test_an_unreachable_address_is_named_with_its_system(desk: Desk, system: str) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    file = (
        desk.file(severa_url=f"{address}/rest-api")
        if system == "Severa"
        else desk.file(erp_url=address, auth_url=f"{address}/connect")
    )
    one_sentence(desk.run("tenant", "add", file), system, address)
    nothing_stored(desk)


@pytest.mark.req("R-SET-2")
@pytest.mark.parametrize(
    ("changed", "path", "key"),
    [
        ("severa_url", "/rest", "severa.base_url"),
        ("erp_url", "/v1", "visma_net.base_url"),
        ("auth_url", "/connect/token", "visma_net.auth_url"),
    ],
)
def test_a_wrong_path_is_told_with_its_address_and_the_key_it_stands_under(
    desk: Desk, changed: str, path: str, key: str
) -> None:
    address = f"{desk.severa.url if changed == 'severa_url' else desk.erp.url}{path}"
    one_sentence(
        desk.run("tenant", "add", desk.file(**{changed: address})), f"at {address} (", f"check {key} "
    )
    nothing_stored(desk)


@pytest.mark.req("R-SET-2")
def test_of_two_addresses_the_one_that_is_not_reached_is_named(desk: Desk) -> None:
    address = f"http://127.0.0.1:{free_port()}/connect"
    said = one_sentence(desk.run("tenant", "add", desk.file(auth_url=address)), address, "visma_net.auth_url")
    assert desk.erp.url not in said
    nothing_stored(desk)


@pytest.mark.req("R-SET-2")
@pytest.mark.parametrize("system", ["Severa", "Visma.net ERP"])
def test_a_wrong_secret_is_told_and_never_shown(desk: Desk, system: str) -> None:
    wrong = "not-the-secret-at-all"
    file = desk.file(severa_client_secret=wrong) if system == "Severa" else desk.file(erp_client_secret=wrong)
    said = one_sentence(desk.run("tenant", "add", file), system, "client_secret")
    assert wrong not in said
    nothing_stored(desk)


@pytest.mark.req("R-SET-2", "R-SET-3")
def test_a_missing_scope_is_named(desk: Desk) -> None:
    from simulators.severa.organisation import SCOPES  # noqa: PLC0415 - the word list of this one test

    home = f"/orgs/{NORDKONSULT.severa_client_id}"
    desk.severa.ask("PATCH", f"{home}/scopes", {"scopes": sorted(SCOPES - {"invoices:write"})})
    try:
        one_sentence(desk.run("tenant", "add", desk.file()), "Severa", "invoices:write")
    finally:
        desk.severa.ask("PATCH", f"{home}/scopes", {"scopes": sorted(SCOPES)})
    nothing_stored(desk)


@pytest.mark.req("R-SET-4")
def test_a_company_of_another_organisation_is_refused(desk: Desk) -> None:
    from simulators.seed import scaled  # noqa: PLC0415 - another firm for this one test

    other = scaled(77)
    desk.erp.ask("POST", "/companies", {"firm": 77})
    file = desk.file(
        erp_client_id=other.erp_client_id,
        erp_client_secret=other.erp_client_secret,
        tenant_id=other.erp_tenant_id,
    )
    one_sentence(desk.run("tenant", "add", file), "organisation number")
    nothing_stored(desk)


@pytest.mark.req("R-SET-4")
def test_an_unknown_erp_tenant_is_explained(desk: Desk) -> None:
    file = desk.file(tenant_id="00000000-0000-4000-8000-000000000000")
    one_sentence(desk.run("tenant", "add", file), "Visma.net ERP", "tenant_id")
    nothing_stored(desk)


def test_a_database_from_a_newer_version_is_refused(desk: Desk, postgres_server: PostgresServer) -> None:
    database = postgres_server.create()
    with psycopg.connect(database.owner_url, autocommit=True) as db:
        db.execute(
            "insert into schema_migrations (version, checksum) values ('9999_from_the_future', 'none')"
        )
    one_sentence(desk.run("up", "--until-idle", BRIDGE_DATABASE_URL=database.app_url), "newer")
    postgres_server.drop(database)


def test_a_database_that_does_not_answer_is_named(desk: Desk) -> None:
    url = f"postgresql://bridge:secret-word@127.0.0.1:{free_port()}/bridge"
    said = one_sentence(desk.run("tenant", "list", BRIDGE_DATABASE_URL=url), "BRIDGE_DATABASE_URL")
    assert "secret-word" not in said


def test_a_login_that_could_read_every_tenant_is_refused(desk: Desk, postgres_server: PostgresServer) -> None:
    database = postgres_server.create()
    one_sentence(desk.run("tenant", "list", BRIDGE_DATABASE_URL=database.owner_url), "plain login")
    postgres_server.drop(database)


def test_an_unwritable_data_directory_is_named_as_root_too(desk: Desk) -> None:
    """Root may write anywhere but where the kernel itself says no; /proc says no to everybody."""
    one_sentence(
        desk.run("up", "--until-idle", BRIDGE_DATA_DIR="/proc/bridge", BRIDGE_DATABASE_URL=""),
        "/proc/bridge",
        "BRIDGE_DATA_DIR",
    )


def test_a_data_directory_that_is_a_file_is_named(desk: Desk) -> None:
    path = desk.directory / "a-file"
    path.write_text("not a directory", encoding="utf-8")
    # An empty variable is as good as none, as in an environment file.
    done = desk.run("up", "--until-idle", BRIDGE_DATA_DIR=str(path), BRIDGE_DATABASE_URL="")
    one_sentence(done, str(path), "BRIDGE_DATA_DIR")
    assert path.read_text(encoding="utf-8") == "not a directory"


@pytest.mark.parametrize(
    ("name", "value"),
    [("BRIDGE_WORKER_THREADS", "0"), ("BRIDGE_SECRET_KEYS", "short")],
)
def test_a_setting_that_cannot_be_used_is_named(desk: Desk, name: str, value: str) -> None:
    said = one_sentence(desk.run("tenant", "list", **{name: value}))
    assert name in said or "key" in said


@pytest.mark.parametrize(
    "arguments",
    [["tenant", "go-live", "nobody"], ["trace", "nobody", "invoice", "1"]],
    ids=" ".join,
)  # fmt: skip
def test_an_unknown_tenant_is_named(desk: Desk, arguments: list[str]) -> None:
    one_sentence(desk.run(*arguments), "nobody", "tenant list")


def test_an_unknown_command_or_option_is_one_sentence(desk: Desk) -> None:
    one_sentence(desk.run("tenant", "remove"), "remove")
    one_sentence(desk.run("up", "--for-ever"), "--for-ever")


def test_a_worker_for_an_unknown_queue_is_told_which_there_are(desk: Desk) -> None:
    one_sentence(desk.run("worker", "--queues", "invoices"), "invoices", "payment")


def test_rabbitmq_that_is_not_there_is_named(desk: Desk) -> None:
    url = f"amqp://guest:secret-word@127.0.0.1:{free_port()}/"
    said = one_sentence(desk.run("worker", BRIDGE_AMQP_URL=url), "BRIDGE_AMQP_URL")
    assert "secret-word" not in said
