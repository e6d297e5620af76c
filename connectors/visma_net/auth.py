"""Signing in by Visma Connect: a service application (client credentials and tenant id), or a user once (PKCE)."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from urllib.parse import urlencode

import httpx

from connectors.meaning import Odd, Question, json_of
from connectors.signing_in import Token
from connectors.visma_net.errors import SYSTEM, sign_in_refused
from connectors.visma_net.models import token_answer
from domain import clock
from domain.errors import SignInFailed

Kind = Literal["service", "interactive"]
PostForm = Callable[[str, Mapping[str, str]], httpx.Response]
"""Sends a form to an absolute address without a token; any status below 500 except 429 comes back."""

VERBS = ("read", "create", "update", "delete")
NEEDED_SCOPES: Mapping[Kind, tuple[str, ...]] = {
    "service": tuple(f"vismanet_erp_service_api:{verb}" for verb in VERBS),
    "interactive": tuple(f"vismanet_erp_interactive_api:{verb}" for verb in VERBS),
}
"""Scopes by kind of application. ``delete``: a held document that does not prove is removed again (R-INV-4)."""

_PERSON_SCOPES = ("openid", "email", "profile", "tenants", "offline_access")
RENEW_BEFORE = 60.0
"""Seconds before its end at which an access token is renewed."""


def new_verifier() -> str:
    """A PKCE verifier; keep it with the ``state`` until the user comes back."""
    return secrets.token_urlsafe(48)


def challenge(verifier: str) -> str:
    """The S256 challenge of a verifier."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class VismaNetAccess:
    """Where one company of the ERP is reached, and as whom: ``/v1`` and ``/v2`` are below ``base_url``, ``/token`` and
    ``/authorize`` below ``auth_url``."""

    base_url: str
    auth_url: str
    kind: Kind
    client_id: str
    client_secret: str
    tenant_id: str

    def __repr__(self) -> str:
        # The secret must not stand in a traceback or a log.
        return f"VismaNetAccess({self.auth_url!r}, {self.kind!r}, {self.client_id!r})"

    @property
    def sign_in_url(self) -> str:
        """``auth_url`` as paths are put behind it."""
        return self.auth_url.rstrip("/")


@dataclass(frozen=True, slots=True)
class Connect:
    """The sign-in of one connection."""

    access: VismaNetAccess
    post: PostForm

    def sign_in(self, stored: Token | None) -> Token:
        """A new token. Raises SignInFailed (reason wrong_secret, missing_scope, unknown_tenant, signed_out, refused),
        RateLimited, Unavailable, NotKnown."""
        if self.access.kind == "service":
            return self._service()
        if stored is None or not stored.refresh_token:
            raise SignInFailed(
                "nobody is signed in to Visma.net",
                system=SYSTEM,
                reason="signed_out",
                tenant_id=self.access.tenant_id,
            )
        form = {"grant_type": "refresh_token", "refresh_token": stored.refresh_token}
        token = self._ask(form, refreshing=True)
        # Applications that re-use their refresh token get none back: the old one stays (docs/vendors/visma-net-erp.md E2).
        return token if token.refresh_token else _with_refresh(token, stored.refresh_token)

    def authorize_url(self, redirect_uri: str, state: str, verifier: str) -> str:
        """Where to send the user's browser to sign in (interactive kind, R-SET-2)."""
        query = {
            "response_type": "code",
            "client_id": self.access.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join((*_PERSON_SCOPES, *NEEDED_SCOPES["interactive"])),
            "state": state,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        return f"{self.access.sign_in_url}/authorize?{urlencode(query)}"

    def exchange(self, code: str, verifier: str, redirect_uri: str) -> Token:
        """The token for the code the user came back with. Raises as ``sign_in``; without a refresh token it is refused,
        since the bridge could not go on after an hour."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        token = self._ask(form, refreshing=True)
        if not token.refresh_token:
            raise SignInFailed(
                "Visma.net gave no refresh token (scope offline_access)",
                system=SYSTEM,
                reason="missing_scope",
                missing=["offline_access"],
            )
        return token

    def missing(self, scope: str) -> list[str]:
        """The needed scopes that a token's scope lacks; none if the answer named no scopes at all."""
        granted = set(scope.replace(",", " ").split())
        return (
            [needed for needed in NEEDED_SCOPES[self.access.kind] if needed not in granted] if granted else []
        )

    def _service(self) -> Token:
        needed = NEEDED_SCOPES["service"]
        try:
            return self._ask({"grant_type": "client_credentials", "scope": " ".join(needed)})
        except SignInFailed as refused:
            if refused.reason != "missing_scope":
                raise
            raise self._naming_scopes(refused) from refused

    def _naming_scopes(self, refused: SignInFailed) -> SignInFailed:
        # The refusal does not have to say which scope it was: each is asked for alone.
        missing = [scope for scope in NEEDED_SCOPES["service"] if scope in refused.message]
        for scope in NEEDED_SCOPES["service"] if not missing else ():
            try:
                self._ask({"grant_type": "client_credentials", "scope": scope})
            except SignInFailed as alone:
                if alone.reason == "missing_scope":
                    missing.append(scope)
        missing = missing or list(NEEDED_SCOPES["service"])
        return SignInFailed(
            f"{refused.message}: {' '.join(missing)}", system=SYSTEM, reason="missing_scope", missing=missing
        )

    def _ask(self, form: Mapping[str, str], *, refreshing: bool = False) -> Token:
        asked_at = clock.wall()
        whole = {**form, "client_id": self.access.client_id, "client_secret": self.access.client_secret}
        if self.access.tenant_id:
            whole["tenant_id"] = self.access.tenant_id
        answer = self.post(f"{self.access.sign_in_url}/token", whole)
        if not answer.is_success:
            raise sign_in_refused(answer, kind=self.access.kind, refreshing=refreshing)
        question = Question(SYSTEM, "POST /token")
        try:
            token = token_answer(json_of(answer))
        except Odd as odd:
            raise question.not_known(odd) from odd
        if token is None:
            raise question.not_known("it has no token")
        return Token(
            access_token=token.access_token,
            expires_at=asked_at + timedelta(seconds=token.expires_in),
            scope=token.scope,
            refresh_token=token.refresh_token or None,
        )


def _with_refresh(token: Token, refresh_token: str) -> Token:
    return Token(token.access_token, token.expires_at, token.scope, refresh_token)
