"""Long-running processes: they stop when asked, within seconds, with exit code 0; one bridge per data directory."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from acceptance.conftest import Desk, answers
from services import RabbitServer
from stage import free_port, wait_for

COMMANDS = {
    "up": ["up"],
    "worker": ["worker", "--threads", "2"],
    "poller": ["poller"],
    "relay": ["relay"],
    "web": ["web"],
}


@pytest.fixture
def public() -> Iterator[Path]:
    """A directory that other users may pass: as root PostgreSQL runs as somebody else."""
    with tempfile.TemporaryDirectory(prefix="bridge-up-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def amqp(rabbitmq: RabbitServer) -> Iterator[str]:
    url = rabbitmq.create_vhost()
    yield url
    rabbitmq.drop_vhost(url)


def stopped(process: subprocess.Popen[str], number: signal.Signals) -> str:
    """Asks the process to stop; its standard error. Fails unless it ends with 0 within seconds."""
    process.send_signal(number)
    try:
        _, said = process.communicate(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        _, said = process.communicate()
        raise AssertionError(f"did not stop: {said}") from None
    assert process.returncode == 0, (process.args, said)
    assert "Traceback" not in said
    return said


def _at_work_or_ended(name: str, process: subprocess.Popen[str], health: Path, port: int) -> bool:
    alive = answers(f"http://127.0.0.1:{port}/health/live") if name == "web" else health.exists()
    return alive or process.poll() is not None


@pytest.mark.req("R-OPS-1", "R-OPS-3")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_every_process_stops_cleanly_when_asked(desk: Desk, amqp: str, number: signal.Signals) -> None:
    """All at once: each with a health file that shows when its loop turns."""
    port = free_port()
    running = {}
    for name, arguments in COMMANDS.items():
        health = desk.directory / f"{name}.{number.name}"
        env = {"BRIDGE_HEALTH_FILE": str(health), "BRIDGE_WEB_PORT": str(port)}
        # `up` without a broker of its own: its signals must work on the in-process one.
        running[name] = desk.start(*arguments, **env, **({} if name == "up" else {"BRIDGE_AMQP_URL": amqp}))
    try:
        for name, process in running.items():
            health = desk.directory / f"{name}.{number.name}"
            wait_for(
                f"{name} is at work", partial(_at_work_or_ended, name, process, health, port), seconds=40
            )
        for name in COMMANDS:
            assert running[name].poll() is None, (name, running[name].communicate())
            stopped(running[name], number)
    finally:
        for process in running.values():
            if process.poll() is None:
                process.kill()
                process.communicate()


@pytest.mark.req("R-OPS-1")
def test_a_second_up_on_the_same_data_directory_is_refused_and_the_first_goes_on(
    desk: Desk, public: Path
) -> None:
    """Embedded: PostgreSQL from the wheel, in the data directory; the second says what to do."""
    env = {k: v for k, v in desk.env.items() if k not in ("BRIDGE_DATABASE_URL", "BRIDGE_SECRET_KEYS")}
    health, data = desk.directory / "embedded-health", public / "embedded"
    env |= {"BRIDGE_DATA_DIR": str(data), "BRIDGE_HEALTH_FILE": str(health)}
    embedded = Desk(env, desk.directory, desk.severa, desk.erp, "")
    first = embedded.start("up")
    try:
        wait_for(
            "the embedded bridge is at work", lambda: health.exists() or first.poll() is not None, seconds=60
        )
        assert first.poll() is None, first.communicate()
        second = embedded.run("up", "--until-idle")
        assert second.returncode == 2
        assert "Another bridge already runs" in second.stderr
        assert len(second.stderr.strip().splitlines()) == 1
        # A reading command works beside it.
        assert embedded.run("tenant", "list", "--json").stdout.strip() == "[]"
        keys = data / "secret.keys"
        assert keys.stat().st_mode & 0o777 == 0o600
        assert first.poll() is None
        stopped(first, signal.SIGTERM)
    finally:
        if first.poll() is None:
            first.kill()
            first.communicate()
    # The lock went with the process.
    assert embedded.run("up", "--until-idle", "--timeout", "30").returncode == 0


@pytest.mark.req("R-OPS-3")
def test_a_worker_that_loses_rabbitmq_for_good_does_not_hang_on_stop(
    desk: Desk, rabbitmq: RabbitServer
) -> None:
    url = rabbitmq.create_vhost()
    health = desk.directory / "orphan-health"
    worker = desk.start("worker", "--threads", "1", BRIDGE_AMQP_URL=url, BRIDGE_HEALTH_FILE=str(health))
    try:
        wait_for("the worker is at work", lambda: health.exists() or worker.poll() is not None, seconds=40)
        rabbitmq.drop_vhost(url)
        os.kill(worker.pid, signal.SIGTERM)
        worker.communicate(timeout=20)
        assert worker.returncode is not None
    finally:
        if worker.poll() is None:
            worker.kill()
            worker.communicate()
