"""Running simulators, clients signed in to them, and one recorded day that is held against the vendors' documents."""

from __future__ import annotations

import pytest
from erp_company import erp, served_erp
from reading_all import read_everything
from recording import Tape, live_through, recorded_installation
from services import PostgresServer
from severa_served import _people_go_home, client, reader, shared_url, simulator, tokens, url
from severa_tenant import served_severa, tenant
from vendor_sources import SOURCES

__all__ = [
    "_people_go_home",
    "client",
    "erp",
    "reader",
    "served_erp",
    "served_severa",
    "shared_url",
    "simulator",
    "tenant",
    "tokens",
    "url",
]


@pytest.fixture(scope="session", params=list(SOURCES))
def source(request: pytest.FixtureRequest) -> str:
    """What a test judges by: the extract, and once more the vendors' documents where they are (``vendor_sources``)."""
    return str(request.param)


@pytest.fixture(scope="session")
def recorded_day(postgres_server: PostgresServer) -> Tape:
    """Every call of a day on the whole road and of reading everything after it; nothing of it runs any more."""
    database = postgres_server.create()
    with recorded_installation(database) as (made, tape):
        live_through(made, tape)
        read_everything(tape)
    postgres_server.drop(database)
    return tape
