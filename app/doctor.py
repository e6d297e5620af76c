"""``severa-bridge doctor``: what of the installation works, one line per check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actors.broker import EventBroker, make_broker
from app import adopting
from app.bootstrap import Bridge, open_bridge
from app.poller import DEFECT, NOT_BEGUN, NOT_UNDERSTOOD
from app.service import SYSTEM_NAMES, explained, sign_in_sentence
from app.settings import Settings
from db import log, tenants
from domain.errors import BridgeError, InputError, SignInFailed

# What stands in the way of reading is the installation's; every other problem is about records, and finance staff's.
READING = (DEFECT, NOT_BEGUN, NOT_UNDERSTOOD, "setting.unusable")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    what: str
    fine: bool
    found: str


def examine(settings: Settings) -> list[Check]:
    """Database, keys, broker, then every tenant's two connections with a fresh sign-in, and what cuts its readings."""
    checks = [_broker(settings)]
    try:
        with open_bridge(settings) as bridge:
            where = "embedded" if settings.embedded_database else "by BRIDGE_DATABASE_URL"
            with bridge.db.dispatch() as db:
                version = db.execute("show server_version").fetchone()
                found = tenants.all_tenants(db)
            status = adopting.look(bridge)
            checks.append(
                Check(
                    "PostgreSQL",
                    True,
                    f"{version['server_version'] if version else '?'}, {where}; schema and login are right",
                )
            )
            checks.append(Check("Writes", status.on, status.sentence))
            remembered = status.remembered and not status.trouble
            checks.append(Check("Memory", remembered, status.memory_sentence))
            checks.append(Check("Keys", True, f"first key {bridge.secrets.key_id}"))
            for tenant in found:
                checks += [_connection(bridge, tenant, "severa"), _connection(bridge, tenant, "visma_net")]
                checks += _readings(bridge, tenant)
    except InputError as error:
        checks.append(Check("PostgreSQL and keys", False, error.message))
    return checks


def _broker(settings: Settings) -> Check:
    if settings.amqp_url is None:
        return Check("Broker", True, "in process")
    broker = make_broker(settings.amqp_url.get_secret_value(), quorum=settings.quorum_queues)
    try:
        assert isinstance(broker, EventBroker)  # noqa: S101 - tells the type checker what a URL makes
        _ = broker.connection
    except Exception as error:  # noqa: BLE001 - the check's result is the error's text
        return Check(
            "Broker",
            False,
            f"RabbitMQ cannot be reached: {error or type(error).__name__}. Check BRIDGE_AMQP_URL.",
        )
    finally:
        broker.close()
    return Check("Broker", True, "RabbitMQ answers")


def _connection(bridge: Bridge, tenant: tenants.Tenant, system: str) -> Check:
    what = f"{tenant.name}: {SYSTEM_NAMES[system]}"
    try:
        if system == "severa":
            scopes = bridge.connections.severa(tenant.id).check()
            return Check(what, True, f"signed in, {len(scopes)} scopes")
        company = bridge.connections.erp(tenant.id).check()
        return Check(what, True, f"signed in to {company.get('name') or 'the company'}")
    except SignInFailed as error:
        return Check(what, False, sign_in_sentence(error))
    except BridgeError as error:
        return Check(what, False, error.message)


def _readings(bridge: Bridge, tenant: tenants.Tenant) -> list[Check]:
    """One per open problem that keeps a register or a whole system from being read: the sign-in may be well all the same."""
    with bridge.db.tenant(tenant.id) as db:
        found = [row for row in log.open_problems(db) if row["code"] in READING]
    return [_reading(tenant.name, row) for row in found]


def _reading(name: str, row: Mapping[str, Any]) -> Check:
    where = [SYSTEM_NAMES.get(row["system"], ""), row["register"]]
    what = " ".join(part for part in where if part) or "settings"
    told = explained(row, "en")["wrong"]
    return Check(f"{name}: {what}", False, f"{told} (problem {row['id']}, seen {row['times']} times)")
