"""The RabbitMQ of the tests: one node, a virtual host of its own for each test."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import containers
from .process import PrivateServer, ServiceMissingError, free_ports

IMAGE = "rabbitmq:4-management"
PLACES = ("/usr/lib/rabbitmq/bin", "/opt/rabbitmq/sbin", "/usr/local/sbin", "/usr/sbin", "/opt/homebrew/sbin")
# What a small private node needs: plain TCP on the loopback, fresh figures for tests that count messages.
CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{amqp}
management.tcp.ip = 127.0.0.1
management.tcp.port = {management}
collect_statistics_interval = 1000
disk_free_limit.absolute = 50MB
log.file.level = warning
"""


@dataclass
class RabbitServer:
    """A running broker with its management interface; `url` has no virtual host of a test in it."""

    url: str
    management_url: str
    version: str
    source: str
    _stop: Callable[[], None]
    control: Callable[..., str] | None = None
    _token: str = field(default_factory=lambda: secrets.token_hex(4))
    _count: int = 0

    @property
    def said(self) -> str:
        """One line for the test report."""
        return f"RabbitMQ {self.version} ({self.source})"

    def create_vhost(self) -> str:
        """The amqp:// address of a new, empty virtual host."""
        self._count += 1
        name = f"bridge-test-{self._token}-{self._count}"
        parts = urllib.parse.urlsplit(self.url)
        user = urllib.parse.unquote(parts.username or "guest")
        self.management("PUT", f"/api/vhosts/{name}", {})
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        self.management("PUT", f"/api/permissions/{name}/{urllib.parse.quote(user, safe='')}", everything)
        return urllib.parse.urlunsplit(parts._replace(path=f"/{name}"))

    def drop_vhost(self, amqp_url: str) -> None:
        """Removes a virtual host with its queues and closes what is still connected to it."""
        name = urllib.parse.urlsplit(amqp_url).path.lstrip("/")
        self.management("DELETE", f"/api/vhosts/{name}")

    def management(self, method: str, path: str, body: Any = None) -> Any:
        """One call of the management interface (`/api/…`); raises urllib.error.HTTPError on a refusal."""
        return _call(self.management_url, self.url, method, path, body)

    def rabbitmqctl(self, *arguments: str) -> str:
        """Runs `rabbitmqctl`, for tests that stop and start the broker; only on a broker that is ours."""
        if self.control is None:
            raise ServiceMissingError(
                "The broker of TEST_AMQP_URL is not ours to control: unset the variable."
            )
        return self.control(*arguments)

    def stop(self) -> None:
        """Ends the broker when it is ours."""
        self._stop()


def _call(management_url: str, amqp_url: str, method: str, path: str, body: Any = None) -> Any:
    parts = urllib.parse.urlsplit(amqp_url)
    login = (
        f"{urllib.parse.unquote(parts.username or 'guest')}:{urllib.parse.unquote(parts.password or 'guest')}"
    )
    request = urllib.request.Request(  # noqa: S310  # the address is ours or the tester's own
        management_url.rstrip("/") + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": "Basic " + base64.b64encode(login.encode()).decode(),
            "Content-Type": "application/json",
        },
    )
    # Without the environment's proxy: the broker is on this machine or beside it.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=15) as answer:
        content = answer.read()
    return json.loads(content) if content else None


def _version(management_url: str, amqp_url: str) -> str | None:
    """The broker's version, or None when its management interface does not answer yet."""
    try:
        overview = _call(management_url, amqp_url, "GET", "/api/overview")
    except (OSError, ValueError):
        return None
    # The interface answers a moment before the AMQP listener is there.
    ready = any(each["protocol"] == "amqp" for each in overview.get("listeners", ()))
    return str(overview["rabbitmq_version"]) if ready else None


def given(url: str) -> RabbitServer:
    """The broker that TEST_AMQP_URL names; raises ServiceMissingError when its management does not answer.

    TEST_AMQP_MANAGEMENT_URL says where the management interface is (default: port 15672 of the same host).
    """
    host = urllib.parse.urlsplit(url).hostname or "127.0.0.1"
    management_url = os.environ.get("TEST_AMQP_MANAGEMENT_URL") or f"http://{host}:15672"
    version = _version(management_url, url)
    if version is None:
        raise ServiceMissingError(
            "The RabbitMQ of TEST_AMQP_URL has no management interface where TEST_AMQP_MANAGEMENT_URL "
            f"({management_url}) says: enable the plugin rabbitmq_management, or unset TEST_AMQP_URL."
        )
    return RabbitServer(url, management_url, version, "TEST_AMQP_URL", lambda: None)


def contained() -> RabbitServer | None:
    """A container, or None when no engine can start one."""
    password = secrets.token_hex(12)
    container = containers.start(
        IMAGE,
        port=5672,
        more_ports=[15672],
        env={"RABBITMQ_DEFAULT_USER": "tests", "RABBITMQ_DEFAULT_PASS": password},
    )
    if container is None:
        return None
    url = f"amqp://tests:{password}@{container.host}:{container.port}/"
    management_url = f"http://{container.host}:{container.ports[15672]}"
    version = container.wait_for(lambda: _version(management_url, url), seconds=90)
    if version is None:
        container.stop()
        return None

    def control(*arguments: str) -> str:
        code, output = container.execute("rabbitmqctl", *arguments)
        if code:
            raise RuntimeError(output)
        return output

    return RabbitServer(url, management_url, version, f"container {IMAGE}", container.stop, control)


def program() -> Path | None:
    """The `rabbitmq-server` of this machine; the one that runs as any user before a distribution's wrapper."""
    search = os.pathsep.join((PLACES[0], os.environ.get("PATH", os.defpath), *PLACES[1:]))
    found = shutil.which("rabbitmq-server", path=search)
    return Path(found) if found else None


def private() -> RabbitServer:
    """A node of this machine's `rabbitmq-server` with its own directories, ports and port mapper."""
    server_program = program()
    if server_program is None:
        raise ServiceMissingError(
            "RabbitMQ is missing: install the package rabbitmq-server, start Docker, or set TEST_AMQP_URL."
        )
    directory = Path(tempfile.mkdtemp(prefix="bridge-mq-"))
    amqp, management, distribution, epmd = free_ports(4)
    (directory / "rabbitmq.conf").write_text(CONFIGURATION.format(amqp=amqp, management=management))
    (directory / "plugins").write_text("[rabbitmq_management].\n")
    (directory / "environment").write_text("")
    env = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(directory),  # the node's cookie is written here
        "LC_ALL": "C.UTF-8",
        "RABBITMQ_NODENAME": f"test-{directory.name}@localhost",
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq.conf"),
        "RABBITMQ_CONF_ENV_FILE": str(directory / "environment"),  # not the distribution's
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "plugins"),
        "RABBITMQ_MNESIA_BASE": str(directory / "data"),
        "RABBITMQ_LOG_BASE": str(directory / "logs"),
        "RABBITMQ_PID_FILE": str(directory / "pid"),
        # The script becomes the node instead of waiting for it, so that the process we end is the node. Two cores
        # are shared with the tests: no schedulers that spin while they wait.
        "RABBITMQ_ALLOW_INPUT": "true",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-noinput +sbwt none +sbwtdcpu none +sbwtdio none",
        "ERL_EPMD_PORT": str(epmd),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
    }
    mapper = _port_mapper(directory, env, epmd)
    server = PrivateServer(
        [str(server_program)],
        directory=directory,
        log=directory / "log",
        env=env,
        stop_signal=signal.SIGKILL,  # nothing in it is kept; an orderly end takes six seconds
    )

    def stop() -> None:
        server.stop()
        if mapper is not None:
            mapper.stop()

    url = f"amqp://guest:guest@127.0.0.1:{amqp}/"
    management_url = f"http://127.0.0.1:{management}"
    try:
        server.wait_until(
            lambda: _version(management_url, url) is not None, seconds=60, what="The private RabbitMQ"
        )
    except ServiceMissingError:
        stop()
        raise

    def control(*arguments: str) -> str:
        tool = server_program.parent / "rabbitmqctl"
        done = subprocess.run(
            [str(tool), "-q", *arguments], env=env, capture_output=True, text=True, timeout=120, check=False
        )
        if done.returncode:
            raise RuntimeError(done.stderr or done.stdout)
        return done.stdout

    version = _version(management_url, url) or "?"
    return RabbitServer(url, management_url, version, "private rabbitmq-server", stop, control)


def _port_mapper(directory: Path, env: dict[str, str], port: int) -> PrivateServer | None:
    """Erlang's port mapper as a child of ours; left to itself the node starts one that outlives everything."""
    found = shutil.which("epmd", path=env["PATH"])
    if found is None:
        return None
    own = directory / "epmd"
    own.mkdir()
    mapper = PrivateServer([found], directory=own, log=own / "log", env=env, stop_signal=signal.SIGKILL)

    def listens() -> bool:
        with socket.socket() as connection:
            return connection.connect_ex(("127.0.0.1", port)) == 0

    mapper.wait_until(listens, seconds=10, what="Erlang's port mapper")
    return mapper
