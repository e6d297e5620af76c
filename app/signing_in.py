"""Signing a tenant's hidden system user in to Visma.net ERP: applications of the interactive kind (R-SET-2).

A person signs in once in the browser; the refresh token is stored sealed and renewed from then on, so that all later
traffic uses the stored connection and never a person's session.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from app import identity
from app.access import timeouts, visma_net_access
from app.bootstrap import Bridge
from app.service import sign_in_sentence, staying_tenant
from app.tenancy import go_on, who
from app.tokens import kept_tokens
from connectors.endpoint import Conduct
from connectors.pacing import NoPacing
from connectors.signing_in import MemoryTokenStore
from connectors.visma_net import VismaNetClient, new_verifier
from db import tenants
from db.tenants import Tenant
from domain.errors import InputError, Refused, SignInFailed, TryLater


@dataclass(frozen=True, slots=True)
class SignInStarted:
    """Where the person signs in, and what must be kept until the browser comes back."""

    url: str
    state: str
    verifier: str
    redirect_uri: str


def begin(bridge: Bridge, name: str, redirect_uri: str) -> SignInStarted:
    """Raises InputError when there is no such tenant or its application is of the service kind."""
    client = _client(bridge, staying_tenant(bridge, name), MemoryTokenStore())
    state, verifier = secrets.token_urlsafe(16), new_verifier()
    try:
        url = client.authorize_url(redirect_uri, state, verifier)
    finally:
        client.close()
    return SignInStarted(url, state, verifier, redirect_uri)


def finish(bridge: Bridge, name: str, started: SignInStarted, came_back: str) -> None:
    """``came_back``: the address that the browser ended at. Stores the tokens. Raises InputError."""
    answer = parse_qs(urlsplit(came_back.strip()).query)
    if refusal := answer.get("error_description") or answer.get("error"):
        raise InputError(f"The sign-in was refused: {refusal[0]}.")
    if answer.get("state") != [started.state]:
        raise InputError(
            "The address does not belong to this sign-in: start again and paste the whole address."
        )
    code = answer.get("code")
    if not code:
        raise InputError("The address carries no code: paste the whole address that the browser ended at.")
    tenant = staying_tenant(bridge, name)
    tokens = MemoryTokenStore()
    client = _client(bridge, tenant, tokens)
    try:
        client.exchange_code(code[0], started.verifier, started.redirect_uri)
        # A person may have signed in to another company: nothing is stored before that is known to be this tenant's.
        identity.check_stored(bridge, tenant.id, name, client.check())
    except SignInFailed as error:
        raise InputError(sign_in_sentence(error)) from error
    except TryLater as error:
        raise InputError(f"Visma Connect does not answer: {error.message.rstrip('.')}.") from error
    except Refused as error:
        raise InputError(f"The company cannot be read: {error.message.rstrip('.')}.") from error
    finally:
        client.close()
    token = tokens.load()
    if token is not None:
        kept_tokens(bridge.db, bridge.secrets, tenant.id, "visma_net").save(token)
    bridge.connections.forget(tenant.id)
    with bridge.db.tenant(tenant.id) as db:
        tenants.audit(db, who(), "tenant.signed_in", {})
        go_on(db)


def _client(bridge: Bridge, tenant: Tenant, tokens: MemoryTokenStore) -> VismaNetClient:
    """A client of the tenant's application whose tokens stay in memory. Raises InputError for the service kind."""
    with bridge.db.tenant(tenant.id) as db:
        stored = tenants.connection(db, "visma_net")
    if stored is None or stored.config.get("kind") != "interactive":
        raise InputError(
            f"Tenant '{tenant.name}' uses a service application: it signs in by itself, with its client id and secret."
        )
    return VismaNetClient(
        visma_net_access(stored.config, bridge.secrets.open(stored.secret)),
        Conduct(tokens=tokens, pacer=NoPacing(), stop=bridge.stop, timeouts=timeouts(bridge.settings)),
        time_zone=bridge.settings.erp_time_zone,
    )
