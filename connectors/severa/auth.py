"""Signing in to Severa: client credentials, a new token before the old one ends, and which scopes were granted (R-SET-2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import httpx

from connectors.meaning import Odd, Question, is_page, json_of
from connectors.severa.errors import SYSTEM, error_type, message
from connectors.severa.models import TokenAnswer, token_answer
from connectors.severa.registers import NEEDED_SCOPES, OPTIONAL_SCOPES
from connectors.signing_in import Token
from domain import clock
from domain.errors import SignInFailed

TOKEN_PATH = "/v1/token"  # noqa: S105 - a path
RENEW_BEFORE = 300.0
"""Seconds before its end at which a token is replaced (docs/vendors/severa.md S2)."""
SCOPE_SEPARATORS = (" ", ",")
"""Open question: public clients use both. The space is the one seen working and is tried first."""

_NOT_ABOUT_SCOPES = {
    "AddonMissing",
    "FeatureIsNotEnabled",
    "TermsOfServiceNotApproved",
    "AddonMissingTermsOfServiceApproval",
    "OrganizationNotActive",
    "TrialExpired",
}

PostToken = Callable[[dict[str, str]], httpx.Response]
_Step = tuple[frozenset[str] | None, str]
_LADDER: tuple[_Step, ...] = (
    *((NEEDED_SCOPES | OPTIONAL_SCOPES, separator) for separator in SCOPE_SEPARATORS),
    *((NEEDED_SCOPES, separator) for separator in SCOPE_SEPARATORS),
    (None, SCOPE_SEPARATORS[0]),
)


@dataclass(frozen=True, slots=True)
class SeveraAccess:
    """Where one Severa organisation is reached, and as whom. ``base_url`` is the part before ``/v1`` (``https://…/rest-api``)."""

    base_url: str
    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        # The secret must not stand in a traceback or a log.
        return f"SeveraAccess({self.base_url!r}, {self.client_id!r})"


class ClientCredentials:
    """Gets tokens for one client id. The refresh token is not used: the secret is at hand and cannot be rotated away.

    Asking for a scope that the credentials lack is refused as a whole (or, on some installations, answered with the rest).
    So it is asked for everything wanted, then for what is needed, then for whatever there is, each list with either
    separator; what once worked is asked for first from then on.
    """

    def __init__(self, access: SeveraAccess, post: PostToken, *, pause: Callable[[float], object]) -> None:
        """``post`` sends one token request and gives the answer, whatever its status; ``pause`` waits some seconds."""
        self._access = access
        self._post = post
        self._pause = pause
        self._ladder = _LADDER

    def sign_in(self, _stored: Token | None = None) -> Token:
        """A new token; its ``scope`` is what was granted. Raises SignInFailed (wrong_secret, refused), Unavailable,
        and NotKnown for an answer that is neither a token nor the vendor's no."""
        last: SignInFailed | None = None
        for step, (wanted, separator) in enumerate(self._ladder):
            given = self._asked(wanted, separator)
            if isinstance(given, SignInFailed):
                last = given
                if given.reason != "wrong_secret":
                    raise given
                continue
            self._ladder = self._ladder[step:]
            granted = given.scope or wanted or frozenset()
            return Token(
                access_token=given.access_token,
                expires_at=given.expires_at(clock.wall()),
                scope=" ".join(sorted(granted)),
                refresh_token=given.refresh_token,
            )
        # The next attempt starts from the top: somebody may have mended the credentials.
        self._ladder = _LADDER
        raise last or SignInFailed(system=SYSTEM, reason="refused")

    def granted(self, token: Token | None) -> set[str]:
        """The scopes of a token, or, when the vendor does not say or gave none, found out one by one (for set-up).

        Raises SignInFailed(wrong_secret) when not one of them is granted.
        """
        if token is not None and token.scope:
            return set(token.scope.split())
        found: set[str] = set()
        refusal: SignInFailed | None = None
        for scope in sorted(NEEDED_SCOPES | OPTIONAL_SCOPES):
            # Sign-ins are not paced by the connection's pacer; ten calls a second are the vendor's limit for them too (docs/vendors/severa.md S6).
            self._pause(0.15)
            given = self._asked({scope})
            if isinstance(given, SignInFailed):
                refusal = given
            else:
                found.add(scope)
        if not found:
            raise refusal or SignInFailed(system=SYSTEM, reason="wrong_secret")
        return found

    def _asked(
        self, scopes: Iterable[str] | None, separator: str = SCOPE_SEPARATORS[0]
    ) -> TokenAnswer | SignInFailed:
        body = {"client_id": self._access.client_id, "client_secret": self._access.client_secret}
        if scopes is not None:
            body["scope"] = separator.join(sorted(scopes))
        answer = self._post(body)
        question = Question(SYSTEM, f"POST {TOKEN_PATH}")
        if answer.is_success:
            try:
                given = token_answer(json_of(answer))
            except Odd as odd:
                raise question.not_known(odd) from odd
            if given is None:
                raise question.not_known("it has no token")
            return given
        if answer.status_code < 400 or is_page(answer):
            # A proxy's page or a redirect does not judge the secret.
            raise question.not_known(f"HTTP {answer.status_code} that is not Severa's own")
        kind, words = error_type(answer), message(answer) or f"HTTP {answer.status_code}"
        if kind in _NOT_ABOUT_SCOPES:
            return SignInFailed(words, system=SYSTEM, reason="no_license", type=kind)
        if answer.status_code in (400, 401, 403):
            # Wrong secret and scope not allowed look the same here; the ladder tells them apart.
            return SignInFailed(words, system=SYSTEM, reason="wrong_secret", status=answer.status_code)
        return SignInFailed(words, system=SYSTEM, reason="refused", status=answer.status_code)


def missing(granted: set[str]) -> list[str]:
    """The needed scopes that were not granted, sorted."""
    return sorted(NEEDED_SCOPES - granted)
