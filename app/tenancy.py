"""Tenants as their operators see them: which there are, what is set, what is paused, whose secrets are under which key."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from actors.connections import open_setting_problem
from app import braking, consequences, naming
from app.bootstrap import Bridge
from app.words import iso
from db import log, outbox, streams, tenants
from db.tenant import TenantDb
from db.tenants import Tenant
from domain.errors import InputError, SettingUnusable
from domain.model import DOMAINS
from domain.setup.settings import as_far_as_usable, changed_settings, stored_settings


def find_tenant(bridge: Bridge, name: str) -> Tenant:
    """Raises InputError when there is none of that name."""
    with bridge.db.dispatch() as db:
        tenant = tenants.by_name(db, name)
    if tenant is None:
        raise InputError(f"There is no tenant '{name}': 'severa-bridge tenant list' shows those there are.")
    return tenant


def staying_tenant(bridge: Bridge, name: str) -> Tenant:
    """A tenant of which something may be changed. Raises InputError when there is none, or when it is leaving."""
    tenant = find_tenant(bridge, name)
    if tenant.state in ("leaving", "erasing"):
        raise InputError(leaving_sentence(tenant))
    return tenant


def leaving_sentence(tenant: Tenant) -> str:
    """What can be done about a tenant that is leaving, in one sentence."""
    if tenant.state == "erasing":
        return f"The tenant '{tenant.name}' is being erased: 'severa-bridge tenant erase {tenant.name}' goes on with it."
    return (
        f"The tenant '{tenant.name}' is leaving: 'severa-bridge tenant erase {tenant.name}' goes on with it, "
        f"'severa-bridge tenant resume {tenant.name}' has it stay."
    )


def list_tenants(bridge: Bridge) -> list[dict[str, Any]]:
    """Every tenant with its state, last check and open problems."""
    with bridge.db.dispatch() as db:
        found = tenants.all_tenants(db)
    return [_listed(bridge, tenant) for tenant in found]


def _listed(bridge: Bridge, tenant: Tenant) -> dict[str, Any]:
    with bridge.db.tenant(tenant.id) as db:
        checked = {c.system: c for c in tenants.connections(db)}
        problems = len(log.open_problems(db))
        work = outbox.rows(db)
    return {
        "id": str(tenant.id),
        "name": tenant.name,
        "state": tenant.state,
        "paused_domains": list(tenant.paused_domains),
        "language": tenant.language,
        "time_zone": tenant.time_zone,
        "problems": problems,
        "unfinished": sum(row["state"] not in ("failed", "in_doubt") for row in work),
        "current_as_of": {system: iso(connection.checked_at) for system, connection in checked.items()},
    }


def show_tenant(bridge: Bridge, name: str) -> dict[str, Any]:
    """One tenant as it is listed, every setting as it is used (what cannot be used is its default), and the versions of what is
    stored, newest first, each with what it changed. Raises InputError."""
    tenant = find_tenant(bridge, name)
    with bridge.db.tenant(tenant.id) as db:
        versions = tenants.setting_versions(db)
    stored: Mapping[str, Any] = versions[0]["values"] if versions else {}
    used = as_far_as_usable(stored).model_dump(mode="json")
    # What was used counts, not what was stored: the first `tenant set` writes every default out.
    uses = [as_far_as_usable(row["values"]).model_dump(mode="json") for row in versions]
    before = [*uses[1:], as_far_as_usable({}).model_dump(mode="json")]
    return {
        "tenant": _listed(bridge, tenant),
        "settings": [{"key": key, "value": value, "stored": key in stored} for key, value in used.items()],
        "versions": [
            {
                "version": row["version"],
                "made_at": iso(row["made_at"]),
                "made_by": row["made_by"],
                "changed": {key: value for key, value in new.items() if old[key] != value},
            }
            for row, new, old in zip(versions, uses, before, strict=True)
        ],
    }


def set_setting(
    bridge: Bridge, name: str, key: str, text: str, warn: Callable[[str], None] = lambda _sentence: None
) -> int:
    """Changes one setting of a tenant; a new version is kept. How many records are looked at again because of it.

    ``warn`` is given a sentence where the value names a record of the ERP and that register was not read yet.
    Raises InputError.
    """
    tenant = staying_tenant(bridge, name)
    with bridge.db.tenant(tenant.id) as db:
        before = tenants.settings(db)
        values = changed_settings(before, key, text)
        naming.check(db, key, values[key], warn)
    found = consequences.of(
        bridge.db, bridge.registers, tenant, as_far_as_usable(before), as_far_as_usable(values)
    )
    with bridge.db.tenant(tenant.id) as db:
        tenants.add_settings(db, values, who())
        details = {"key": key, "value": text, "looked_at_again": found.count}
        tenants.audit(db, who(), "setting.changed", details)
        look_again(db, values)
    consequences.announce(bridge.db, tenant, found)
    return found.count


def go_on(db: TenantDb) -> None:
    """What stands in the way is gone (a sign-in that failed, a setting that could not be used): both systems are polled, and
    work that was put off for it goes on, now and not after its wait (``BRIDGE_SIGN_IN_SECONDS``).

    The connections before the work, as a poll locks them."""
    streams.ask(db)
    outbox.due_now(db)


def look_again(db: TenantDb, values: Mapping[str, Any]) -> None:
    """Polls stood still for a setting that could not be used: whether it is repaired is seen at once, not at the next try, and
    the problem names what is left."""
    if not log.of_cause(db, ["setting.unusable"]):
        return
    try:
        stored_settings(values)
    except SettingUnusable as error:
        open_setting_problem(db, error)
    go_on(db)


def held(bridge: Bridge, name: str) -> list[braking.Held]:
    """What the brake has stopped at a tenant, counted now, for a person to look at (R-CON-3)."""
    tenant = find_tenant(bridge, name)
    with bridge.db.tenant(tenant.id) as db:
        return braking.held(db)


def set_paused(
    bridge: Bridge,
    name: str,
    *,
    paused: bool,
    domain: str | None = None,
    shown: Sequence[braking.Held] | None = None,
) -> None:
    """Pauses or resumes a tenant, or one of its domains. Begun documents run to their end.

    Resuming lets through everything that the brake has stopped there. ``shown``: what the person was shown of it (``held``),
    None = what the open questions say. Raises InputError when more has been stopped since: the questions are brought
    up to date, and nothing else is done. A tenant that is leaving stays when it is resumed, unless its erasure has begun.
    """
    tenant = find_tenant(bridge, name)
    stays = tenant.state == "leaving" and not paused and domain is None
    if tenant.state in ("leaving", "erasing") and not stays:
        raise InputError(leaving_sentence(tenant))
    if domain is not None and domain not in DOMAINS:
        raise InputError(f"There is no domain '{domain}': choose from {', '.join(DOMAINS)}.")
    if domain is None and not stays and tenant.state not in ("live", "paused"):
        raise InputError(
            f"The tenant '{name}' is not live yet: run 'severa-bridge tenant go-live {name}' first."
        )
    if not paused:
        _resume(bridge, tenant, domain, shown)
        return
    with bridge.db.tenant(tenant.id) as db:
        if domain is None:
            _set_state(db, tenant, "paused")
        else:
            tenants.pause_domains(db, [domain])
        tenants.audit(db, who(), "tenant.paused", {"domain": domain})


def _resume(bridge: Bridge, tenant: Tenant, domain: str | None, shown: Sequence[braking.Held] | None) -> None:
    try:
        with bridge.db.tenant(tenant.id) as db:
            # Connection, readings, tenant: in the order in which a poll locks them.
            streams.ask(db)
            let = braking.resume(db, domain, shown)
            if domain is None:
                # One that never went live and stays is where it was before.
                never_live = tenant.state == "leaving" and tenant.live_at is None
                _set_state(db, tenant, "new" if never_live else "live")
            else:
                tenants.resume_domains(db, [domain])
            details = {"domain": domain, "let_through": [one.values() for one in let]}
            tenants.audit(db, who(), "tenant.resumed", details)
    except InputError:
        with bridge.db.tenant(tenant.id) as db:
            braking.moved(db, domain)
        raise


def _set_state(db: TenantDb, tenant: Tenant, state: str) -> None:
    if not tenants.set_state(db, state, stays=tenant.state == "leaving"):
        raise InputError(f"The tenant '{tenant.name}' began to leave at this moment: look at it again.")


def rotate_secrets(bridge: Bridge) -> int:
    """Re-encrypts every stored secret with the first key; how many connections."""
    with bridge.db.dispatch() as db:
        found = tenants.all_tenants(db)
    count = 0
    for tenant in found:
        with bridge.db.tenant(tenant.id) as db:
            for stored in tenants.connections(db):
                token = bridge.secrets.rotated(stored.token) if stored.token else None
                tenants.put_secret(db, stored.system, bridge.secrets.rotated(stored.secret), token)
                count += 1
            tenants.audit(db, who(), "secrets.rotated", {"key": bridge.secrets.key_id})
    return count


def who() -> str:
    """Who is at the keyboard, for the audit log (R-OPS-4)."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "operator"
