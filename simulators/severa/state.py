"""The whole state of one Severa simulator: its organisations, tokens, switches and limiter."""

from __future__ import annotations

import dataclasses
import re
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from simulators import seed
from simulators.clock import SEVERA
from simulators.control import Window
from simulators.severa.errors import SeveraError
from simulators.severa.organisation import Organisation, stamp
from simulators.severa.seeding import add_internal_customer, seeded
from simulators.severa.setting_up import blank
from simulators.severa.switches import Switches


@dataclass(slots=True)
class Token:
    """An access token as the server knows it."""

    org: Organisation
    scopes: frozenset[str]
    expires: float


@dataclass(slots=True)
class RefreshToken:
    """A refresh token; it is used once."""

    org: Organisation
    scopes: frozenset[str]
    expires: float


@dataclass
class SeveraState:
    """Organisations by client id, and what the sign-in needs."""

    switches: Switches = field(default_factory=Switches)
    organisations: dict[str, Organisation] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    refresh_tokens: dict[str, RefreshToken] = field(default_factory=dict)
    window: Window = field(default_factory=Window)

    def add_organisation(
        self,
        firm: seed.Firm | int | str = "nordkonsult",
        *,
        statuses: str = "no-approval",
        name: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
    ) -> Organisation:
        """Add an organisation: a firm, a firm's number, "nordkonsult" or "empty" (only the internal
        customer, no items, no projects).

        Raises ValueError for an unknown firm or set of statuses and for a client id that is taken.
        """
        facts = _firm(firm)
        if statuses not in seed.INVOICE_STATUSES:
            raise ValueError(f"statuses is one of {', '.join(seed.INVOICE_STATUSES)}, not {statuses!r}")
        changes: dict[str, Any] = {}
        if name is not None:
            changes["name"] = name
        if client_id is not None:
            changes["severa_client_id"] = client_id
        if client_secret is not None:
            changes["severa_client_secret"] = client_secret
        facts = dataclasses.replace(facts, **changes)
        if facts.severa_client_id in self.organisations:
            raise ValueError(f"the client id {facts.severa_client_id} is taken")
        if firm == "empty":
            org = blank(facts, statuses, self.switches)
            add_internal_customer(org, facts)
        else:
            org = seeded(facts, statuses, self.switches)
        self.organisations[org.client_id] = org
        return org

    def sign_in(self, client_id: Any, client_secret: Any, scope: Any) -> dict[str, Any]:
        """Give the token answer for client credentials. Raises `SeveraError` 401."""
        org = self.organisations.get(client_id) if isinstance(client_id, str) else None
        if org is None or org.client_secret != client_secret:
            raise SeveraError(
                401, "AuthenticationRequired", "The client id or the client secret is not valid."
            )
        asked = (
            frozenset(re.split(r"[\s,]+", scope.strip()))
            if isinstance(scope, str) and scope.strip()
            else None
        )
        granted = frozenset(org.granted_scopes)
        if asked is None:
            return self._issue(org, granted)
        if not asked <= granted and not org.switch("partial_scopes"):
            refused = ", ".join(sorted(asked - granted))
            raise SeveraError(401, "InsufficientApiScope", f"The client is not allowed the scopes {refused}.")
        return self._issue(org, asked & granted)

    def refresh(self, token: Any) -> dict[str, Any]:
        """Give a new pair for a refresh token, which is used up. Raises `SeveraError` 401."""
        held = self.refresh_tokens.pop(token, None) if isinstance(token, str) else None
        if held is None or held.expires <= SEVERA.seconds():
            raise SeveraError(401, "AuthenticationRequired", "The refresh token is not valid.")
        return self._issue(held.org, held.scopes)

    def sign_out(self, token: Any) -> None:
        """Forget a refresh token; the access token lives on until it expires."""
        if isinstance(token, str):
            self.refresh_tokens.pop(token, None)

    def revoke(self, client_id: str | None = None) -> None:
        """Forget every token, of one client id or of all."""
        self.tokens = {key: one for key, one in self.tokens.items() if _survives(one, client_id)}
        self.refresh_tokens = {
            key: one for key, one in self.refresh_tokens.items() if _survives(one, client_id)
        }

    def authorised(self, authorization: str | None, client_header: str | None) -> Token:
        """Give the token of a call. Raises `SeveraError` 401 AuthenticationRequired."""
        kind, _, value = (authorization or "").partition(" ")
        token = self.tokens.get(value.strip()) if kind.lower() == "bearer" else None
        if token is None or token.expires <= SEVERA.seconds():
            raise SeveraError(
                401, "AuthenticationRequired", "The access token is missing, not valid or has expired."
            )
        if client_header is None:
            if token.org.switch("strict_client_id"):
                raise SeveraError(
                    401,
                    "AuthenticationRequired",
                    "The header Client_Id is missing.",
                    location="RequestHeader",
                    name="Client_Id",
                )
        elif client_header != token.org.client_id and token.org.switch("strict_client_id"):
            raise SeveraError(401, "AuthenticationRequired", "The header Client_Id does not fit the token.")
        return token

    def _issue(self, org: Organisation, scopes: frozenset[str]) -> dict[str, Any]:
        now = SEVERA.now()
        seconds: int = org.switch("token_seconds")
        refresh_seconds: int = org.switch("refresh_token_seconds")
        # Three parts like the real one, so that nobody mistakes it for a value of fixed length.
        access = f"sim.{secrets.token_urlsafe(48)}.{secrets.token_urlsafe(32)}"
        refresh = secrets.token_urlsafe(48)
        self.tokens[access] = Token(org, scopes, now.timestamp() + seconds)
        self.refresh_tokens[refresh] = RefreshToken(org, scopes, now.timestamp() + refresh_seconds)
        return {
            "access_token": access,
            "access_token_type": "Bearer",
            "access_token_expires_in": seconds,
            "access_token_expires_utc": stamp(now + timedelta(seconds=seconds)),
            "scope": " ".join(sorted(scopes)),
            "refresh_token": refresh,
            "refresh_token_expires_in": refresh_seconds,
            "refresh_token_expires_utc": stamp(now + timedelta(seconds=refresh_seconds)),
        }


def _survives(token: Token | RefreshToken, revoked: str | None) -> bool:
    return revoked is not None and token.org.client_id != revoked


def _firm(firm: seed.Firm | int | str) -> seed.Firm:
    if isinstance(firm, seed.Firm):
        return firm
    if isinstance(firm, int):
        return seed.scaled(firm)
    if firm in ("nordkonsult", "empty"):
        return seed.NORDKONSULT
    raise ValueError(f"firm is a number, nordkonsult or empty, not {firm!r}")
