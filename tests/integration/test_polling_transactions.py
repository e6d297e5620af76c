"""What an idle cycle of one tenant costs: calls of both systems, and transactions of PostgreSQL."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from cryptography.fernet import Fernet
from road import QUICK, Installation, simulators, warnings_only
from services import Database

from app import service
from app.bootstrap import open_bridge
from app.poller import Poller
from app.settings import Settings
from db import streams


def test_an_idle_cycle(database: Database) -> None:
    settings = Settings(
        **{
            **QUICK,
            "database_url": database.app_url,
            "secret_keys": Fernet.generate_key().decode(),
            "slot_lease_seconds": 60,
        }
    )
    with simulators() as (severa, erp), warnings_only(), open_bridge(settings, threading.Event()) as bridge:
        road = Installation(bridge, severa, erp, database).add_firm(1, live=False)
        service.go_live(bridge, road.name, lambda *_: None)
        poller = Poller(bridge.db, bridge.connections, list(bridge.registers.values()), settings, bridge.stop)
        counted: Counter[str] = Counter()
        plain = bridge.db._transaction

        @contextmanager
        def counting(pool: Any) -> Iterator[Any]:
            import traceback

            frames = [
                f for f in traceback.extract_stack() if "/poller/" in f.filename and ".venv" not in f.filename
            ]
            key = " < ".join(
                f"{f.filename.split('/')[-1]}:{f.name}"
                for f in reversed(frames[-6:-1])
                if "contextlib" not in f.filename and f.name not in ("counting", "tenant", "dispatch")
            )[:90]
            counted[key] += 1
            with plain(pool) as connection:
                yield connection

        def cycle() -> None:
            for system in ("severa", "visma_net"):
                with bridge.db.tenant(road.tenant_id) as db:
                    lease = streams.lease_one(db, road.tenant_id, system, uuid4(), 60)
                assert lease
                poller.poll(lease)

        cycle()
        bridge.db._transaction = counting  # type: ignore
        road.forget_calls()
        cycle()
        print(sum(counted.values()), "transactions", sum(road.calls().values()), "calls")
        for k, n in counted.most_common():
            print(n, k)
        print(road.calls())
        assert 0
