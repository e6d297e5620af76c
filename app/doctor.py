"""``severa-bridge doctor``: what of the installation works, one line per check."""

from __future__ import annotations

from dataclasses import dataclass

from actors.broker import EventBroker, make_broker
from app import adopting
from app.bootstrap import Bridge, open_bridge
from app.service import SYSTEM_NAMES, sign_in_sentence
from app.settings import Settings
from db import tenants
from domain.errors import BridgeError, InputError, SignInFailed


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    what: str
    fine: bool
    found: str


def examine(settings: Settings) -> list[Check]:
    """Database, keys, broker, then every tenant's two connections with a fresh sign-in."""
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
