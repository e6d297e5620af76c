"""Fixtures for everything that needs a real PostgreSQL or RabbitMQ; services start after collection, once."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import hypothesis
import pytest

# Tests import `services` and their fakes by name, whatever way pytest was told to import them.
sys.path.insert(0, str(Path(__file__).parent))

from factories import make_tenant
from services import Database, PostgresServer, RabbitServer, ServiceMissingError, Services

from db.pool import Database as Pools
from domain import recording

# No example has a time limit: a machine that others use would break it.
hypothesis.settings.register_profile(
    "bridge", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("bridge")
# What is recorded must fit its words: counted in production, an error here.
recording.be_strict()

SERVICES = pytest.StashKey[Services]()


def pytest_configure(config: pytest.Config) -> None:
    """A developer's own installation must not leak into a test."""
    for name in [name for name in os.environ if name.startswith("BRIDGE_")]:
        # Says where the vendors' documents are; only tests ask for it.
        if name != "BRIDGE_VENDOR_DOCS":
            del os.environ[name]
    # Relays of the tests remember their databases' last beats here, not in the developer's home.
    os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="bridge-state-")
    config.stash[SERVICES] = Services()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What uses a service carries the marker, so that `-m "not services"` is exact."""
    for item in items:
        if {"postgres_server", "rabbitmq"}.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.services)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Starts the services that the chosen tests use; one sentence and exit code 2 when one is missing."""
    if session.config.option.collectonly:
        return
    used = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    services = session.config.stash[SERVICES]
    try:
        if "postgres_server" in used:
            services.postgres()
        if "rabbitmq" in used:
            services.rabbitmq()
    except ServiceMissingError as error:
        pytest.exit(str(error), returncode=2)


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    """Says which services these tests run against."""
    return [f"services: {' · '.join(said)}"] if (said := config.stash[SERVICES].said()) else []


def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends the services, also after Ctrl-C."""
    config.stash[SERVICES].stop()
    shutil.rmtree(os.environ["XDG_STATE_HOME"], ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server(pytestconfig: pytest.Config) -> PostgresServer:
    """The PostgreSQL server: `.url` (superuser), `.create()`, `.create_empty()`, `.drop(database)`."""
    return pytestconfig.stash[SERVICES].postgres()


@pytest.fixture(scope="session")
def rabbitmq(pytestconfig: pytest.Config) -> RabbitServer:
    """The RabbitMQ broker: `.create_vhost()`, `.management(method, path, body)`, `.rabbitmqctl(…)`."""
    return pytestconfig.stash[SERVICES].rabbitmq()


@pytest.fixture
def database(postgres_server: PostgresServer) -> Iterator[Database]:
    """A migrated database of this test's own: `.owner_url` (may create roles), `.app_url` (the bridge's login)."""
    database = postgres_server.create()
    yield database
    postgres_server.drop(database)


@pytest.fixture
def db(database: Database) -> Iterator[Pools]:
    """The pools of a program on the test's own database."""
    opened = Pools(database.app_url, size=4)
    opened.open()
    yield opened
    opened.close()


@pytest.fixture
def tenant(db: Pools) -> UUID:
    """A live tenant with one connection."""
    return make_tenant(db, "one")


@pytest.fixture
def empty_database(postgres_server: PostgresServer) -> Iterator[Database]:
    """A database without a table, for tests of the migrations; the application's login may not exist yet."""
    database = postgres_server.create_empty()
    yield database
    postgres_server.drop(database)


@pytest.fixture
def amqp_url(rabbitmq: RabbitServer) -> Iterator[str]:
    """The address of an empty virtual host of this test's own."""
    url = rabbitmq.create_vhost()
    yield url
    rabbitmq.drop_vhost(url)
