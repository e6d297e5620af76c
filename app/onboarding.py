"""From a tenant file to a live tenant: both connections tried, the companies compared, both systems read."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from app.bootstrap import Bridge
from app.poller import Poller
from app.systems import connection_parts
from app.tenancy import find_tenant, who
from app.words import SYSTEM_NAMES
from connectors.http import MemoryTokenStore
from connectors.pacing import NoPacing
from connectors.severa import SeveraClient
from connectors.visma_net import VismaNetClient
from db import streams, tenants
from domain.errors import (
    BridgeError,
    InputError,
    NotFound,
    NotKnown,
    Refused,
    RegisterMissing,
    SignInFailed,
    TryLater,
)
from domain.ports import System
from domain.setup.settings import TenantFile, read_tenant_file
from domain.text import organisation_number


def load_tenant_file(path: Path) -> TenantFile:
    """Raises InputError: no file, no TOML, unknown or missing key."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"The tenant file {path} cannot be read: {error.strerror or error}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"The tenant file {path} is not valid TOML: {error}.") from error
    return read_tenant_file(values)


def add_tenant(bridge: Bridge, file: TenantFile) -> bool:
    """Checks both connections and the companies' identity, then stores the tenant; True when it is new.

    Raises InputError with one sentence and stores nothing when a connection does not work. Adding a known tenant again
    replaces its connections and settings and keeps its links and log.
    """
    check_connections(bridge, file)
    with bridge.db.dispatch() as db:
        known = tenants.by_name(db, file.name)
    tenant_id = known.id if known else uuid4()
    with bridge.db.tenant(tenant_id) as db:
        if known is None:
            tenants.add(db, tenant_id, file.name, file.language, file.time_zone)
        else:
            tenants.change(db, tenant_id, file.language, file.time_zone)
        kept = tenants.settings(db, tenant_id)
        tenants.add_settings(db, tenant_id, {**kept, **file.settings.model_dump(mode="json")}, who())
        for system, part in (("severa", file.severa), ("visma_net", file.visma_net)):
            secret = bridge.secrets.seal(part.client_secret.get_secret_value())
            values = connection_parts(_system(system), part.model_dump())
            tenants.put_connection(db, tenant_id, _system(system), values, secret)
        tenants.audit(db, tenant_id, who(), "tenant.added" if known is None else "tenant.changed", {})
    bridge.connections.forget(tenant_id)
    return known is None


def check_connections(bridge: Bridge, file: TenantFile) -> None:
    """Signs in to both systems as the file says and compares the organisation numbers (R-SET-4). Raises InputError."""
    settings = bridge.settings
    common: dict[str, Any] = {
        "pacer": NoPacing(),
        "stop": bridge.stop,
        "read_timeout": settings.read_timeout_seconds,
        "create_timeout": settings.create_timeout_seconds,
    }
    severa = SeveraClient(
        file.severa.base_url,
        file.severa.client_id,
        file.severa.client_secret.get_secret_value(),
        tokens=MemoryTokenStore(),
        **common,
    )
    erp = VismaNetClient(
        file.visma_net.base_url,
        file.visma_net.auth_url,
        file.visma_net.kind,
        file.visma_net.client_id,
        file.visma_net.client_secret.get_secret_value(),
        file.visma_net.tenant_id,
        tokens=MemoryTokenStore(),
        time_zone=settings.erp_time_zone,
        **common,
    )
    try:
        ours = _checked("severa", file.severa.base_url, lambda: _severa_company(severa))
        # The interactive kind has no token before its user has signed in once.
        if file.visma_net.kind == "interactive":
            return
        theirs = _checked("visma_net", file.visma_net.base_url, erp.check)
    finally:
        severa.close()
        erp.close()
    left = organisation_number(str(ours.get("vatNumber") or ""))
    right = organisation_number(str(theirs.get("corporateId") or theirs.get("vatRegistrationId") or ""))
    if left and right and left != right:
        raise InputError(
            f"The two companies are not the same: Severa has organisation number {left} ({ours.get('name')}), "
            f"Visma.net ERP has {right} ({theirs.get('name')}). Connect the company that belongs to this Severa organisation."
        )


def _severa_company(client: SeveraClient) -> dict[str, Any]:
    client.check()
    return client.get("organizationdetails", "")


def _checked(system: System, address: str, check: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    name = SYSTEM_NAMES[system]
    try:
        return check()
    except SignInFailed as error:
        raise InputError(sign_in_sentence(error)) from error
    except RegisterMissing as error:
        raise InputError(_not_as_expected(name, address, f"404 for {error.operation}")) from error
    except NotKnown as error:
        raise InputError(_not_as_expected(name, address, error.message)) from error
    except TryLater as error:
        raise InputError(
            f"{name} cannot be reached at {address}: {error.message.rstrip('.')}. Check the address and the network."
        ) from error
    except NotFound as error:
        raise InputError(_not_as_expected(name, address, f"404 for {error.operation}")) from error
    except Refused as error:
        raise InputError(f"{name} refuses {error.operation}: {error.message}") from error


def _not_as_expected(name: str, address: str, answer: str) -> str:
    return f"{name} does not answer as expected at {address} ({answer}): check base_url."


def sign_in_sentence(error: SignInFailed) -> str:
    """What is wrong with a sign-in and what to do, in one sentence."""
    name = SYSTEM_NAMES.get(error.system, error.system)
    detail = error.message.rstrip(".")
    match error.reason:
        case "wrong_secret":
            return f"{name} refuses the sign-in: client_id or client_secret is wrong ({detail}); correct them in the tenant file."
        case "missing_scope":
            missing = error.fields.get("missing") or []
            named = ", ".join(missing) if isinstance(missing, list) else str(missing)
            return f"The {name} credentials lack the scope {named or detail}: grant it to the integration and try again."
        case "unknown_tenant" | "no_license":
            return f"{name} does not accept tenant_id ({detail}): use the company's tenant id, not the customer's, and check its licence and roles."
        case "not_allowed":
            return f"{name} does not allow the bridge to read: {detail}; give the integration or the user that right."
        case _:
            return f"{name} refuses the sign-in: {detail}."


def _system(name: str) -> System:
    return "severa" if name == "severa" else "visma_net"


def go_live(bridge: Bridge, name: str, progress: Callable[[System, str, int], None]) -> bool:
    """Reads both systems once to the end, then switches the tenant on; False when it was live already.

    Until the reading is complete nothing is matched or created. Raises InputError (and the tenant stays as it was) when
    a system cannot be read.
    """
    tenant = find_tenant(bridge, name)
    if tenant.state == "live":
        return False
    with bridge.db.tenant(tenant.id) as db:
        tenants.set_state(db, tenant.id, "reading")
    poller = Poller(
        bridge.db, bridge.connections, list(bridge.registers.values()), bridge.settings, bridge.stop
    )
    try:
        for system in ("severa", "visma_net"):
            with bridge.db.tenant(tenant.id) as db:
                lease = streams.lease_one(
                    db, tenant.id, _system(system), uuid4(), bridge.settings.poll_lease_seconds
                )
            if lease is None:
                raise InputError(
                    "Another process is reading this tenant at the moment: try again in a few minutes."
                )
            poller.poll(lease, progress=progress, quiet=True)
    except BridgeError as error:
        with bridge.db.tenant(tenant.id) as db:
            tenants.set_state(db, tenant.id, tenant.state)
        if isinstance(error, InputError):
            raise
        if isinstance(error, SignInFailed):
            raise InputError(sign_in_sentence(error)) from error
        raise InputError(f"The systems could not be read to the end: {error.message.rstrip('.')}.") from error
    except BaseException:
        with bridge.db.tenant(tenant.id) as db:
            tenants.set_state(db, tenant.id, tenant.state)
        raise
    with bridge.db.tenant(tenant.id) as db:
        tenants.set_state(db, tenant.id, "live")
        tenants.audit(db, tenant.id, who(), "tenant.live", {})
    return True
