"""What an idle cycle of one tenant costs: one transaction per register, and two around each connection's poll."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, get_args
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from road import QUICK, Installation, simulators, warnings_only
from services import Database

from app import service
from app.bootstrap import open_bridge
from app.poller import Poller
from app.settings import Settings
from db import streams
from domain.model import System

# What was measured; before readings were rows of their own it was 49 for the calls of that time, 14. A cycle that costs more has
# to say why.
AROUND = 3


def test_an_idle_cycle_costs_one_transaction_per_call(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(
        **{
            **QUICK,
            "database_url": database.app_url,
            "secret_keys": Fernet.generate_key().decode(),
            # the pacer's leases are renewed by time, not by poll
            "slot_lease_seconds": 600,
        }
    )
    stop = threading.Event()
    with simulators() as (severa, erp), warnings_only(), open_bridge(settings, stop) as bridge:
        road = Installation(bridge, severa, erp, database).add_firm(1, live=False)
        service.go_live(bridge, road.name, lambda _system, _register, _rows: None)
        poller = Poller(bridge.db, bridge.connections, list(bridge.registers.values()), settings, stop)
        transactions: list[str] = []
        plain = bridge.db._transaction

        @contextmanager
        def counting(pool: Any) -> Iterator[Any]:
            transactions.append(pool.name)
            with plain(pool) as connection:
                yield connection

        def cycle() -> None:
            for system in get_args(System):
                with bridge.db.tenant(road.tenant_id) as db:
                    lease = streams.lease_one(db, system, uuid4(), 60)
                assert lease is not None
                assert poller.poll(lease) == 0

        cycle()
        monkeypatch.setattr(bridge.db, "_transaction", counting)
        road.forget_calls()
        cycle()
        calls = sum(road.calls().values())
        leases = len(get_args(System))
        # Two registers of this company are empty, and that is asked twice each time.
        assert calls == 14 + 2
        calls -= 2
        assert len(transactions) - leases == calls + leases * AROUND
