"""The sign-in service below ``/connect``: service applications and interactive users (docs/vendors/visma-net-erp.md E1, E2)."""

from __future__ import annotations

import base64
import hashlib
import html
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit, urlunsplit

from simulators.visma_net.answers import Answer
from simulators.visma_net.state import Client, Simulation

SERVICE = "vismanet_erp_service_api"
INTERACTIVE = "vismanet_erp_interactive_api"
_VERBS = ("read", "create", "update", "delete")
SERVICE_SCOPES = frozenset(f"{SERVICE}:{verb}" for verb in _VERBS)
INTERACTIVE_SCOPES = frozenset(
    [f"{INTERACTIVE}:{verb}" for verb in (*_VERBS, "ui-extension")]
    + ["openid", "email", "profile", "tenants", "offline_access"]
)


@dataclass(frozen=True, slots=True)
class Token:
    """An access token as the service remembers it."""

    client_id: str
    tenant_id: str
    scopes: frozenset[str]
    expires: datetime
    interactive: bool

    def allows(self, verb: str) -> bool:
        """Whether a call that reads (``read``), or another verb, may be made."""
        return f"{INTERACTIVE if self.interactive else SERVICE}:{verb}" in self.scopes


@dataclass(slots=True)
class _Grant:
    """What a code or a refresh token stands for."""

    client_id: str
    tenant_id: str
    scopes: frozenset[str]
    redirect_uri: str = ""
    challenge: str = ""
    method: str = ""
    used_at: datetime | None = None


@dataclass
class SignIn:
    """Tokens, codes and refresh tokens of one simulation."""

    simulation: Simulation
    tokens: dict[str, Token] = field(default_factory=dict)
    codes: dict[str, _Grant] = field(default_factory=dict)
    refresh: dict[str, _Grant] = field(default_factory=dict)

    def token_of(self, authorization: str) -> Token | None:
        """The live token behind an Authorization header."""
        kind, _, value = authorization.partition(" ")
        token = self.tokens.get(value.strip()) if kind.lower() == "bearer" else None
        if token is None or token.expires <= self.simulation.clock():
            return None
        return token

    def expire_all(self) -> None:
        """All access tokens die at once (refresh tokens live on)."""
        self.tokens.clear()

    # --- the token endpoint ---

    def token(self, form: dict[str, str], authorization: str = "") -> Answer:
        """POST of the token endpoint, by the kind of its grant."""
        form = {**form, **_basic(authorization)}
        client = self.simulation.clients.get(form.get("client_id", ""))
        if client is None:
            return _error("invalid_client")
        match form.get("grant_type"):
            case "client_credentials":
                return self._client_credentials(client, form)
            case "authorization_code":
                return self._code(client, form)
            case "refresh_token":
                return self._refresh(client, form)
        return _error("unsupported_grant_type")

    def _client_credentials(self, client: Client, form: dict[str, str]) -> Answer:
        if not secrets.compare_digest(form.get("client_secret", ""), client.secret):
            return _error("invalid_client")
        if not form.get("tenant_id"):
            return _error("invalid_request")
        scopes = frozenset(form.get("scope", "").split()) or SERVICE_SCOPES
        if not scopes <= SERVICE_SCOPES:
            return _error("invalid_scope")
        return self._issue(_Grant(client.client_id, form["tenant_id"].lower(), scopes), interactive=False)

    def _code(self, client: Client, form: dict[str, str]) -> Answer:
        grant = self.codes.pop(form.get("code", ""), None)
        if grant is None or grant.client_id != client.client_id:
            return _error("invalid_grant")
        if grant.redirect_uri != form.get("redirect_uri", ""):
            return _error("invalid_grant")
        if grant.challenge and not _proves(form.get("code_verifier", ""), grant):
            return _error("invalid_grant")
        sent = form.get("client_secret")
        if sent is not None and not secrets.compare_digest(sent, client.secret):
            return _error("invalid_client")
        if sent is None and not grant.challenge:
            return _error("invalid_client")
        return self._issue(grant, interactive=True)

    def _refresh(self, client: Client, form: dict[str, str]) -> Answer:
        sent = form.get("refresh_token", "")
        grant = self.refresh.get(sent)
        if grant is None or grant.client_id != client.client_id:
            return _error("invalid_grant")
        if "client_secret" in form and not secrets.compare_digest(form["client_secret"], client.secret):
            return _error("invalid_client")
        switches, now = self.simulation.switches, self.simulation.clock()
        if switches.refresh_tokens == "re-use":
            return self._issue(grant, interactive=True, refresh_token=sent)
        if grant.used_at is not None:
            grace = timedelta(seconds=switches.refresh_grace_seconds)
            if now > grant.used_at + grace:
                del self.refresh[sent]
                return _error("invalid_grant")
        else:
            grant.used_at = now
            if switches.refresh_grace_seconds <= 0:
                del self.refresh[sent]
        return self._issue(grant, interactive=True)

    def _issue(self, grant: _Grant, *, interactive: bool, refresh_token: str = "") -> Answer:
        switches, now = self.simulation.switches, self.simulation.clock()
        value = secrets.token_urlsafe(32)
        expires = now + timedelta(seconds=switches.token_seconds)
        self.tokens[value] = Token(grant.client_id, grant.tenant_id, grant.scopes, expires, interactive)
        body: dict[str, object] = {
            "access_token": value,
            "expires_in": switches.token_seconds,
            "token_type": "Bearer",
            "scope": " ".join(sorted(grant.scopes)),
        }
        if interactive and "offline_access" in grant.scopes:
            if not refresh_token:
                refresh_token = secrets.token_urlsafe(32)
                self.refresh[refresh_token] = _Grant(grant.client_id, grant.tenant_id, grant.scopes)
            body["refresh_token"] = refresh_token
        return Answer(200, body, {"Cache-Control": "no-store"})

    # --- the authorize endpoint: the simulated user says yes at once ---

    def authorize(self, query: dict[str, str]) -> Answer:
        """A person signs in and agrees, or is refused: back to the application with a code or an error."""
        client = self.simulation.clients.get(query.get("client_id", ""))
        redirect_uri = query.get("redirect_uri", "")
        if client is None or not redirect_uri:
            return _error("invalid_request")
        answer = {"state": query["state"]} if "state" in query else {}
        scopes = frozenset(query.get("scope", "").split())
        refusal = self.simulation.switches.authorize_error
        if query.get("response_type", "code") != "code":
            refusal = "unsupported_response_type"
        elif not scopes <= INTERACTIVE_SCOPES or not scopes:
            refusal = "invalid_scope"
        if refusal:
            answer["error"] = refusal
        else:
            tenant = query.get("tenant_id", "") or next(iter(client.tenants), "")
            code = secrets.token_urlsafe(24)
            self.codes[code] = _Grant(
                client.client_id,
                tenant.lower(),
                scopes,
                redirect_uri,
                query.get("code_challenge", ""),
                query.get("code_challenge_method", "plain"),
            )
            answer["code"] = code
        if query.get("response_mode") == "form_post":
            return _form_post(redirect_uri, answer)
        parts = urlsplit(redirect_uri)
        joined = "&".join(part for part in (parts.query, urlencode(answer)) if part)
        return Answer(302, None, {"Location": urlunsplit(parts._replace(query=joined))})

    def userinfo(self, token: Token | None) -> Answer:
        """Who signed in."""
        if token is None:
            return Answer(401, None, {"WWW-Authenticate": "Bearer"})
        return Answer(200, {"sub": "demo-user", "name": "Birgitta Ek", "email": "birgitta.ek@example.com"})

    def discovery(self, base_url: str) -> Answer:
        """Where the service is found."""
        paths = {
            "authorization_endpoint": "authorize",
            "token_endpoint": "token",
            "userinfo_endpoint": "userinfo",
            "end_session_endpoint": "endsession",
        }
        ends = {name: f"{base_url}/connect/{path}" for name, path in paths.items()}
        return Answer(200, {"issuer": base_url, **ends, "code_challenge_methods_supported": ["S256"]})


def _error(code: str) -> Answer:
    return Answer(400, {"error": code})


def _basic(authorization: str) -> dict[str, str]:
    kind, _, value = authorization.partition(" ")
    if kind.lower() != "basic":
        return {}
    try:
        name, _, secret = base64.b64decode(value).decode().partition(":")
    except ValueError:
        return {}
    return {"client_id": name, "client_secret": secret}


def _proves(verifier: str, grant: _Grant) -> bool:
    if grant.method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        verifier = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return secrets.compare_digest(verifier, grant.challenge)


def _form_post(redirect_uri: str, answer: dict[str, str]) -> Answer:
    fields = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in answer.items()
    )
    page = (
        "<!doctype html><html><body onload='document.forms[0].submit()'>"
        f'<form method="post" action="{html.escape(redirect_uri)}">{fields}</form></body></html>'
    )
    return Answer(200, page.encode(), {}, "text/html; charset=utf-8")
