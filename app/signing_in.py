"""Signing a tenant's hidden system user in to Visma.net ERP: applications of the interactive kind (R-SET-2).

A person signs in once in the browser; the refresh token is stored sealed and renewed from then on, so that all later
traffic uses the stored connection and never a person's session.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from app.bootstrap import Bridge
from app.service import find_tenant, sign_in_sentence
from app.tenancy import who
from connectors.visma_net import VismaNetClient, new_verifier
from db import tenants
from domain.errors import InputError, SignInFailed, TryLater


@dataclass(frozen=True, slots=True)
class SignInStarted:
    """Where the person signs in, and what must be kept until the browser comes back."""

    url: str
    state: str
    verifier: str
    redirect_uri: str


def begin(bridge: Bridge, name: str, redirect_uri: str) -> SignInStarted:
    """Raises InputError when there is no such tenant or its application is of the service kind."""
    client = _client(bridge, name)
    state, verifier = secrets.token_urlsafe(16), new_verifier()
    return SignInStarted(client.authorize_url(redirect_uri, state, verifier), state, verifier, redirect_uri)


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
    try:
        _client(bridge, name).exchange_code(code[0], started.verifier, started.redirect_uri)
    except SignInFailed as error:
        raise InputError(sign_in_sentence(error)) from error
    except TryLater as error:
        raise InputError(f"Visma Connect does not answer: {error.message.rstrip('.')}.") from error
    tenant = find_tenant(bridge, name)
    with bridge.db.tenant(tenant.id) as db:
        tenants.audit(db, tenant.id, who(), "tenant.signed_in", {})


def _client(bridge: Bridge, name: str) -> VismaNetClient:
    tenant = find_tenant(bridge, name)
    with bridge.db.tenant(tenant.id) as db:
        stored = tenants.connection(db, tenant.id, "visma_net")
    if stored is None or stored.config.get("kind") != "interactive":
        raise InputError(
            f"Tenant '{name}' uses a service application: it signs in by itself, with its client id and secret."
        )
    return bridge.connections.erp(tenant.id)
