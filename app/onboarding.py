"""From a tenant file to a live tenant: both connections tried, the companies compared, both systems read."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from app import consequences, identity
from app.access import in_the_open, severa_access, timeouts, visma_net_access
from app.bootstrap import Bridge
from app.poller import Poller
from app.tenancy import go_on, leaving_sentence, look_again, staying_tenant, who
from app.tokens import kept_tokens
from app.words import SYSTEM_NAMES
from connectors.endpoint import Conduct
from connectors.pacing import NoPacing
from connectors.severa import SeveraClient
from connectors.signing_in import MemoryTokenStore
from connectors.visma_net import VismaNetClient
from db import installation, streams, tenants
from db.identity import Pair
from db.tenant import TenantDb
from db.tenants import Tenant
from domain.errors import (
    BridgeError,
    InputError,
    LeaseLost,
    NotFound,
    NotKnown,
    Refused,
    RegisterMissing,
    SettingUnusable,
    SignInFailed,
    TryLater,
)
from domain.model import System
from domain.setup.settings import (
    SeveraConnection,
    TenantFile,
    VismaNetConnection,
    as_far_as_usable,
    read_tenant_file,
    stored_settings,
    unusable,
)
from domain.text import decoded


def load_tenant_file(path: Path) -> TenantFile:
    """Raises InputError: no file, no TOML, unknown or missing key."""
    try:
        text = decoded(path.read_bytes())
        values = tomllib.loads(text)
    except OSError as error:
        raise InputError(f"The tenant file {path} cannot be read: {error.strerror or error}.") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"The tenant file {path} is not valid TOML: {error}.") from error
    except ValueError as error:
        raise InputError(f"The tenant file {path} {error}: save it as UTF-8.") from error
    return read_tenant_file(values)


def add_tenant(bridge: Bridge, file: TenantFile) -> bool:
    """Checks both connections and the companies' identity, then stores the tenant; True when it is new.

    Raises InputError with one sentence and stores nothing when a connection does not work, or when the companies are not
    this tenant's (``app.identity``). Adding a known tenant again changes what its file names: settings that are not named,
    state, links and log stay, and so do tokens while their credentials do.
    """
    with bridge.db.dispatch() as db:
        known = tenants.by_name(db, file.name)
    if known is not None and known.state in ("leaving", "erasing"):
        raise InputError(leaving_sentence(known))
    tenant_id = known.id if known else uuid4()
    file = _with_what_is_kept(bridge, tenant_id, file) if known else file
    pair = _checked_pair(bridge, file, tenant_id if known else None)
    identity.refuse(bridge, tenant_id, file.name, pair)
    kept, values = _settings_of(bridge, tenant_id, file)
    asked = (
        consequences.of(bridge.db, bridge.registers, known, as_far_as_usable(kept), as_far_as_usable(values))
        if known and values != kept
        else None
    )
    with bridge.db.tenant(tenant_id) as db:
        if known is None:
            tenants.add(db, file.name, file.language, file.time_zone)
        identity.keep(db, pair)
        if values != kept:
            tenants.add_settings(db, values, who())
        for system, part in (("severa", file.severa), ("visma_net", file.visma_net)):
            _store_connection(bridge, db, _system(system), part)
        if known is not None:
            # Behind the connections: in the order of a poll, which holds one when it pauses a domain.
            named = file.model_fields_set
            language = file.language if "language" in named else known.language
            time_zone = file.time_zone if "time_zone" in named else known.time_zone
            tenants.change(db, language, time_zone)
        tenants.audit(db, who(), "tenant.added" if known is None else "tenant.changed", {})
        if known:
            look_again(db, values)
            # Both sign-ins were tried a moment ago, whatever they were refused for before.
            go_on(db)
    bridge.connections.forget(tenant_id)
    if known is not None and asked is not None:
        consequences.announce(bridge.db, known, asked)
    return known is None


def _with_what_is_kept(bridge: Bridge, tenant_id: UUID, file: TenantFile) -> TenantFile:
    """The file of a known tenant; a kind of application that it does not name is the one that is stored."""
    if "kind" in file.visma_net.model_fields_set:
        return file
    with bridge.db.tenant(tenant_id) as db:
        stored = tenants.connection(db, "visma_net")
    kind = stored.config.get("kind", "service") if stored is not None else "service"
    return file.model_copy(update={"visma_net": file.visma_net.model_copy(update={"kind": kind})})


def _settings_of(bridge: Bridge, tenant_id: UUID, file: TenantFile) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is stored, and what the file makes of it: it changes what it names; the first file has every default written out.
    Raises InputError when something that was stored before cannot be used, and the file changes others without repairing any."""
    with bridge.db.tenant(tenant_id) as db:
        kept = dict(tenants.settings(db))
    values = {**kept, **file.settings.model_dump(mode="json", exclude_unset=bool(kept))}
    try:
        stored_settings(values)
    except SettingUnusable as error:
        if values != kept and len(unusable(values)) >= len(unusable(kept)):
            raise InputError(error.message) from error
    return kept, values


def _store_connection(
    bridge: Bridge,
    db: TenantDb,
    system: System,
    part: SeveraConnection | VismaNetConnection,
) -> None:
    values = in_the_open(part)
    secret = part.client_secret.get_secret_value()
    stored = tenants.connection(db, system)
    same = stored is not None and _same_credentials(bridge, stored, values, secret)
    if stored is not None and same and dict(stored.config) == values:
        return
    tenants.put_connection(db, system, values, bridge.secrets.seal(secret), keep_token=same)


def _same_credentials(
    bridge: Bridge, stored: tenants.StoredConnection, values: Mapping[str, Any], secret: str
) -> bool:
    """Whether a token that was given for the stored credentials is good for these."""
    names = ("client_id", "auth_url", "kind", "tenant_id")
    if any(stored.config.get(name) != values.get(name) for name in names):
        return False
    try:
        return bridge.secrets.open(stored.secret) == secret
    except InputError:
        # The key was lost, and with it the token: adding the file again is how a person brings both back.
        return False


def check_connections(bridge: Bridge, file: TenantFile) -> None:
    """Signs in to both systems as the file says and compares the organisation numbers (R-SET-4). Raises InputError."""
    _checked_pair(bridge, file, None)


def _checked_pair(bridge: Bridge, file: TenantFile, tenant_id: UUID | None) -> Pair:
    """Which pair of companies the file's credentials lead to. Raises InputError.

    ``tenant_id``: of a tenant that is known already. The interactive kind has no token before its user has signed in;
    where it has one, and the credentials are the same, its company is read with that.
    """
    part = file.visma_net
    conduct = Conduct(
        tokens=MemoryTokenStore(), pacer=NoPacing(), stop=bridge.stop, timeouts=timeouts(bridge.settings)
    )
    severa = SeveraClient(
        severa_access(in_the_open(file.severa), file.severa.client_secret.get_secret_value()), conduct
    )
    try:
        ours = _checked("severa", file.severa, lambda: _severa_company(severa))
    finally:
        severa.close()
    if part.kind == "interactive" and not (tenant_id and _signed_in(bridge, tenant_id, file)):
        found = identity.pair_of(file.severa.base_url, ours, part.base_url, None, part.tenant_id)
    else:
        tokens = (
            kept_tokens(bridge.db, bridge.secrets, tenant_id, "visma_net")
            if part.kind == "interactive" and tenant_id is not None
            else MemoryTokenStore()
        )
        erp = VismaNetClient(
            visma_net_access(in_the_open(part), part.client_secret.get_secret_value()),
            replace(conduct, tokens=tokens),
            time_zone=bridge.settings.erp_time_zone,
        )
        try:
            theirs = _checked("visma_net", part, erp.check)
            found = identity.pair_of(file.severa.base_url, ours, part.base_url, theirs, part.tenant_id)
        finally:
            erp.close()
    identity.one_organisation(found)
    return found


def _signed_in(bridge: Bridge, tenant_id: UUID, file: TenantFile) -> bool:
    """Whether the stored sign-in of a person is good for the file's credentials."""
    values = in_the_open(file.visma_net)
    with bridge.db.tenant(tenant_id) as db:
        stored = tenants.connection(db, "visma_net")
    return (
        stored is not None
        and stored.token is not None
        and _same_credentials(bridge, stored, values, file.visma_net.client_secret.get_secret_value())
    )


def _severa_company(client: SeveraClient) -> dict[str, Any]:
    client.check()
    return client.get("organizationdetails", "")


def _checked(
    system: System, part: SeveraConnection | VismaNetConnection, check: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    name = SYSTEM_NAMES[system]
    try:
        return check()
    except SignInFailed as error:
        if error.fields.get("status") in _NO_SUCH_PATH:
            raise InputError(_not_as_expected(name, *_asked(system, part, error), error.message)) from error
        raise InputError(sign_in_sentence(error)) from error
    except (RegisterMissing, NotFound) as error:
        answer = f"404 for {error.operation}"
        raise InputError(_not_as_expected(name, *_asked(system, part, error), answer)) from error
    except NotKnown as error:
        raise InputError(_not_as_expected(name, *_asked(system, part, error), error.message)) from error
    except TryLater as error:
        key, address = _asked(system, part, error)
        raise InputError(
            f"{name} cannot be reached at {address}: {error.message.rstrip('.')}. Check {key} and the network."
        ) from error
    except Refused as error:
        raise InputError(f"{name} refuses {error.operation}: {error.message}") from error


# A sign-in that is answered so was not judged: there is no such path, or it does not take a POST.
_NO_SUCH_PATH = (404, 405, 410)


def _asked(
    system: System, part: SeveraConnection | VismaNetConnection, error: BridgeError
) -> tuple[str, str]:
    """The key of the tenant file whose address was asked, and the address. Visma.net ERP has two; only the sign-in goes to
    Visma Connect."""
    at_sign_in = isinstance(error, SignInFailed) or str(error.fields.get("operation")).endswith("/token")
    if at_sign_in and isinstance(part, VismaNetConnection):
        return f"{system}.auth_url", part.auth_url
    return f"{system}.base_url", part.base_url


def _not_as_expected(name: str, key: str, address: str, answer: str) -> str:
    return f"{name} does not answer as expected at {address} ({answer.rstrip('.')}): check {key} in the tenant file."


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
    tenant = staying_tenant(bridge, name)
    if tenant.state == "live":
        return False
    _check_companies(bridge, tenant)
    _move(bridge, tenant, "reading")
    try:
        _read_once(bridge, tenant, progress)
    except BaseException as error:
        with bridge.db.tenant(tenant.id) as db:
            tenants.set_state(db, tenant.state)
        if isinstance(error, BridgeError) and not isinstance(error, InputError):
            raise _not_read(error) from error
        raise
    with bridge.db.tenant(tenant.id) as db:
        # A database that is gone may have served this pair: what it sent last can still be carried out for a while.
        if tenant.live_at is None:
            installation.read_anew_if_served(db, bridge.settings.settle_seconds)
        if not tenants.set_state(db, "live"):
            raise InputError(f"The tenant '{name}' began to leave while it was read.")
        tenants.audit(db, who(), "tenant.live", {})
    return True


def _check_companies(bridge: Bridge, tenant: Tenant) -> None:
    """The pair is still the tenant's own. Raises InputError."""
    try:
        identity.check_stored(bridge, tenant.id, tenant.name)
    except SignInFailed as error:
        raise InputError(sign_in_sentence(error)) from error
    except (TryLater, Refused) as error:
        raise InputError(f"The companies cannot be read: {error.message.rstrip('.')}.") from error


def _read_once(bridge: Bridge, tenant: Tenant, progress: Callable[[System, str, int], None]) -> None:
    """Both systems, each to its end. Raises BridgeError."""
    poller = Poller(
        bridge.db, bridge.connections, list(bridge.registers.values()), bridge.settings, bridge.stop
    )
    for system in ("severa", "visma_net"):
        with bridge.db.tenant(tenant.id) as db:
            lease = streams.lease_one(db, _system(system), uuid4(), bridge.settings.poll_lease_seconds)
        if lease is None:
            raise InputError(
                "Another process is reading this tenant at the moment, or the database was adopted a moment ago: try again in a few minutes."
            )
        poller.poll(lease, progress=progress, quiet=True)


def _not_read(error: BridgeError) -> InputError:
    """Why a tenant that could not be read to the end did not go live."""
    if isinstance(error, SignInFailed):
        return InputError(sign_in_sentence(error))
    if isinstance(error, LeaseLost):
        return InputError(
            "The reading was taken over by another process, or the tenant is leaving: it did not go live."
        )
    return InputError(f"The systems could not be read to the end: {error.message.rstrip('.')}.")


def _move(bridge: Bridge, tenant: Tenant, state: str) -> None:
    with bridge.db.tenant(tenant.id) as db:
        if not tenants.set_state(db, state):
            raise InputError(f"The tenant '{tenant.name}' began to leave at this moment: look at it again.")
