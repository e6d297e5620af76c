"""The services themselves: real, isolated from test to test, and gone when the tests are gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.error
from pathlib import Path

import pika
import psycopg
import pytest
from services import Database, PostgresServer, RabbitServer, ServiceMissingError, postgres, rabbitmq
from services.process import free_ports

TESTS = Path(__file__).resolve().parents[1]


def test_two_databases_share_nothing(postgres_server: PostgresServer) -> None:
    one, other = postgres_server.create_empty(), postgres_server.create_empty()
    try:
        with psycopg.connect(one.owner_url) as connection:
            connection.execute("CREATE TABLE only_here (id int)")
        with psycopg.connect(other.owner_url) as connection:
            row = connection.execute("SELECT to_regclass('only_here')").fetchone()
        assert row == (None,)
    finally:
        postgres_server.drop(one)
        postgres_server.drop(other)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(one.owner_url)


def test_a_database_goes_although_someone_is_connected(postgres_server: PostgresServer) -> None:
    database = postgres_server.create_empty()
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        postgres_server.drop(database)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_the_application_signs_in_as_someone_who_cannot_bypass_the_rules(database: Database) -> None:
    with psycopg.connect(database.app_url) as connection:
        row = connection.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    assert row == (False, False, False, False)


def test_a_message_published_in_one_virtual_host_is_not_seen_in_another(
    rabbitmq: RabbitServer, amqp_url: str
) -> None:
    other_url = rabbitmq.create_vhost()
    parameters, other_parameters = pika.URLParameters(amqp_url), pika.URLParameters(other_url)
    with (
        pika.BlockingConnection(parameters) as connection,
        pika.BlockingConnection(other_parameters) as other,
    ):
        for each in (connection, other):
            each.channel().queue_declare("invoice", durable=True, arguments={"x-queue-type": "quorum"})
        channel = connection.channel()
        channel.confirm_delivery()
        channel.basic_publish("", "invoice", b"one", mandatory=True)
        assert channel.basic_get("invoice", auto_ack=True)[2] == b"one"
        assert other.channel().basic_get("invoice", auto_ack=True)[2] is None
    rabbitmq.drop_vhost(other_url)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        rabbitmq.drop_vhost(other_url)


def test_a_named_service_that_does_not_answer_is_an_error_and_nothing_else_is_tried() -> None:
    (port,) = free_ports(1)
    with pytest.raises(ServiceMissingError, match="TEST_DATABASE_URL does not answer"):
        postgres.given(f"postgresql://someone@127.0.0.1:{port}/postgres")
    with pytest.raises(ServiceMissingError, match="enable the plugin rabbitmq_management"):
        rabbitmq.given(f"amqp://guest:guest@127.0.0.1:{port}/")


def test_a_named_server_that_is_missing_stops_the_run_before_its_first_test() -> None:
    (port,) = free_ports(1)
    chosen = (
        f"{test_two_databases_share_nothing.__name__} or {test_a_private_server_ends_with_its_tests.__name__}"
    )
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", __file__, "-k", chosen],
        env=os.environ | {"TEST_DATABASE_URL": f"postgresql://someone@127.0.0.1:{port}/postgres"},
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    output = run.stdout + run.stderr
    assert run.returncode == 2, output
    assert "start it, or unset the variable" in output
    assert "passed" not in output


def test_a_private_server_ends_with_its_tests() -> None:
    """Even when the tests are killed: the guardian sees the end of its input, whatever was the cause."""
    program = (
        f"import sys; sys.path.insert(0, {str(TESTS)!r})\n"
        "from services import postgres\n"
        "server = postgres.embedded()\n"
        "print(server.url, flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as tests:
        assert tests.stdout is not None
        url = tests.stdout.readline().strip()
        directory = Path(psycopg.conninfo.conninfo_to_dict(url)["host"]).parent
        with psycopg.connect(url, autocommit=True) as connection:
            tests.send_signal(signal.SIGKILL)
            # Its farewell (not a cut line) shows an orderly end; the query would last 30 s.
            with pytest.raises(psycopg.OperationalError, match="administrator command"):
                connection.execute("SELECT pg_sleep(30)")
    removed = subprocess.run(
        [
            "sh",
            "-c",
            'n=0; while [ -e "$0" ] && [ $n -lt 100 ]; do n=$((n+1)); sleep 0.1; done; [ ! -e "$0" ]',
            directory,
        ],
        check=False,
    )
    assert removed.returncode == 0
