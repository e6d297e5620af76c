"""The real PostgreSQL and RabbitMQ that tests run against, and where they come from.

The order: the address in TEST_DATABASE_URL / TEST_AMQP_URL, else a container when an engine can
start the image, else the embedded PostgreSQL and a private node of this machine's `rabbitmq-server`.
TEST_SERVICES=containers or TEST_SERVICES=local allows only that one. A missing service ends the run with one sentence
before the first test; it never skips.
"""

from __future__ import annotations

import os

from . import containers, install, postgres, rabbitmq
from .postgres import Database, PostgresServer
from .process import ServiceMissingError
from .rabbitmq import RabbitServer

__all__ = ["Database", "PostgresServer", "RabbitServer", "ServiceMissingError", "Services"]


def _allowed(kind: str) -> bool:
    return os.environ.get("TEST_SERVICES", kind) == kind


class Services:
    """Starts each service at first use and ends what was started."""

    def __init__(self) -> None:
        self._postgres: PostgresServer | None = None
        self._rabbitmq: RabbitServer | None = None

    def postgres(self) -> PostgresServer:
        """The PostgreSQL server; raises ServiceMissingError."""
        if self._postgres is None:
            self._postgres = _find_postgres()
        return self._postgres

    def rabbitmq(self) -> RabbitServer:
        """The RabbitMQ broker; raises ServiceMissingError."""
        if self._rabbitmq is None:
            self._rabbitmq = _find_rabbitmq()
        return self._rabbitmq

    def said(self) -> list[str]:
        """One line per running service: version and where it comes from."""
        return [service.said for service in (self._postgres, self._rabbitmq) if service is not None]

    def stop(self) -> None:
        """Ends what was started here."""
        try:
            if self._rabbitmq is not None:
                self._rabbitmq.stop()
        finally:
            if self._postgres is not None:
                self._postgres.stop()


def _find_postgres() -> PostgresServer:
    if url := os.environ.get("TEST_DATABASE_URL"):
        return postgres.given(url)
    if _allowed("containers") and (server := postgres.contained()):
        return server
    if not _allowed("local"):
        raise ServiceMissingError(
            f"No Docker engine can start {postgres.IMAGE}: start one, or unset TEST_SERVICES."
        )
    return postgres.embedded()


def _find_rabbitmq() -> RabbitServer:
    if url := os.environ.get("TEST_AMQP_URL"):
        return rabbitmq.given(url)
    if _allowed("containers") and (server := rabbitmq.contained()):
        return server
    if not _allowed("local"):
        raise ServiceMissingError(
            f"No Docker engine can start {rabbitmq.IMAGE}: start one, or unset TEST_SERVICES."
        )
    install.ensure_rabbitmq()
    return rabbitmq.private()


def prepare() -> list[str]:
    """Makes sure both services can be had, without starting them; one line each; raises ServiceMissingError."""
    lines = []
    if os.environ.get("TEST_DATABASE_URL"):
        lines.append("PostgreSQL: TEST_DATABASE_URL")
    elif _allowed("containers") and containers.usable(postgres.IMAGE):
        lines.append(f"PostgreSQL: container {postgres.IMAGE}")
    elif _allowed("local"):
        lines.append("PostgreSQL: embedded")
    else:
        raise ServiceMissingError(
            f"No Docker engine can start {postgres.IMAGE}: start one, or unset TEST_SERVICES."
        )
    if os.environ.get("TEST_AMQP_URL"):
        lines.append("RabbitMQ: TEST_AMQP_URL")
    elif _allowed("containers") and containers.usable(rabbitmq.IMAGE):
        lines.append(f"RabbitMQ: container {rabbitmq.IMAGE}")
    elif _allowed("local"):
        install.ensure_rabbitmq()
        lines.append(f"RabbitMQ: private node of {rabbitmq.program()}")
    else:
        raise ServiceMissingError(
            f"No Docker engine can start {rabbitmq.IMAGE}: start one, or unset TEST_SERVICES."
        )
    return lines
