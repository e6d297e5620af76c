"""Access tokens: kept outside the process, renewed early, by one caller at a time over threads and processes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from domain import clock
from domain.errors import Unavailable

LEASE_SECONDS = 60.0
"""A refresh that takes longer than this is given up for lost (the process may have died over it)."""
RETRY_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Token:
    """What a sign-in gave: ``expires_at`` aware, ``scope`` space separated as the vendor answered it ('' = not said)."""

    access_token: str
    expires_at: datetime
    scope: str
    refresh_token: str | None

    def __repr__(self) -> str:
        # A token must not stand in a traceback or a log.
        return f"Token(expires_at={self.expires_at.isoformat()}, scope={self.scope!r})"


class TokenStore(Protocol):
    """Where a connection's token is kept. The refresh is a lease over all processes, never a held lock.

    A store belongs to one state of a connection (address, organisation, secret). When that was changed meanwhile, every
    method but the last two raises Unavailable: neither may a new token go to an old address, nor an old one be kept.
    """

    def check(self) -> None:
        """Before every call: is the connection still the one this store was made for? Cheap; it may ask now and then only."""
        ...

    def load(self) -> Token | None:
        """The token as last saved."""
        ...

    def begin_refresh(self) -> bool:
        """Take the lease; False = somebody else refreshes at this moment."""
        ...

    def save(self, token: Token) -> None:
        """Keep access and refresh token together, atomically, and give the lease back."""
        ...

    def end_refresh(self) -> None:
        """Give the lease back without a token (the sign-in failed, or was not needed any more)."""
        ...

    def forget(self) -> None:
        """Drop the token (disconnect)."""
        ...


class MemoryTokenStore:
    """A TokenStore within one process: tests and ``doctor``."""

    def __init__(self, token: Token | None = None, *, clock: Callable[[], float] = clock.monotonic) -> None:
        self._lock = threading.Lock()
        self._token = token
        self._lease_until = float("-inf")
        self._clock = clock

    def check(self) -> None:
        """Nothing: within a process a connection does not change."""

    def load(self) -> Token | None:
        """The token as last saved."""
        with self._lock:
            return self._token

    def begin_refresh(self) -> bool:
        """Take the lease if nobody holds it, or if its holder has been silent for 60 s."""
        with self._lock:
            if self._clock() < self._lease_until:
                return False
            self._lease_until = self._clock() + LEASE_SECONDS
            return True

    def save(self, token: Token) -> None:
        """Keep the token and give the lease back."""
        with self._lock:
            self._token = token
            self._lease_until = float("-inf")

    def end_refresh(self) -> None:
        """Give the lease back."""
        with self._lock:
            self._lease_until = float("-inf")

    def forget(self) -> None:
        """Drop the token and the lease."""
        with self._lock:
            self._token = None
            self._lease_until = float("-inf")


class SignIn:
    """Gives the access token of a connection and renews it in time: one sign-in at a time, whoever asks."""

    def __init__(
        self,
        tokens: TokenStore,
        sign_in: Callable[[Token | None], Token],
        *,
        renew_before: float,
        wait: float = 20.0,
        stop: threading.Event | None = None,
    ) -> None:
        """``sign_in`` gets the stored token (for its refresh token) and gives a new one; ``renew_before`` and
        ``wait`` (for somebody else's refresh) in seconds."""
        self._tokens = tokens
        self._sign_in = sign_in
        self._renew_before = timedelta(seconds=renew_before)
        self._wait = wait
        self._stop = stop or threading.Event()
        self._lock = threading.Lock()
        self._held: Token | None = None
        self._renew_at = datetime.min.replace(tzinfo=UTC)

    def renewed(self) -> Token:
        """A token from a sign-in that happens now, whatever is stored. Raises what ``token`` raises."""
        return self.token(refused=self._tokens.load() or self._held)

    def token(self, *, refused: Token | None = None) -> Token:
        """A token that is good and is not the ``refused`` one. Raises what the sign-in raises, and Unavailable when
        another process refreshes and does not end, or the connection was changed."""
        self._tokens.check()
        with self._lock:
            if self._held is not None and clock.wall() < self._renew_at and not _same(self._held, refused):
                return self._held
            give_up = clock.monotonic() + self._wait
            while True:
                if self._take_stored(refused):
                    break
                if self._tokens.begin_refresh():
                    self._renew(refused)
                    break
                if clock.monotonic() >= give_up:
                    raise Unavailable("another process is signing in", retry_after=5.0, costs_attempt=False)
                if self._stop.wait(RETRY_SECONDS):
                    raise Unavailable("stopping", costs_attempt=False)
            if self._held is None:
                raise Unavailable("no token", costs_attempt=False)
            return self._held

    def _take_stored(self, refused: Token | None) -> bool:
        stored = self._tokens.load()
        if stored is None or _same(stored, refused):
            return False
        renew_at = stored.expires_at - self._renew_before
        if clock.wall() >= renew_at:
            return False
        self._held, self._renew_at = stored, renew_at
        return True

    def _renew(self, refused: Token | None) -> None:
        saved = False
        try:
            # The lease may have been taken just after its last holder saved.
            if self._take_stored(refused):
                return
            fresh = self._sign_in(self._tokens.load())
            self._tokens.save(fresh)
            saved = True
        finally:
            if not saved:
                self._tokens.end_refresh()
        now = clock.wall()
        # A token that lives shorter than the margin is used for three quarters of its life, not thrown away at once.
        life = max(fresh.expires_at - now, timedelta(0))
        self._held, self._renew_at = fresh, now + max(life - self._renew_before, life * 0.75)


class Renewed:
    """The token that took the place of a refused one and has not worked yet: if it is refused too, a fresh sign-in does
    not help, and asking for yet another permission would go on for ever."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._token = ""

    def got(self, token: Token) -> None:
        """This is that token."""
        with self._lock:
            self._token = token.access_token

    def works(self, token: Token) -> None:
        """The vendor took this token: if it is that one, it is spoken of no more."""
        self.did_not_help(token)

    def did_not_help(self, token: Token) -> bool:
        """Whether a refused token is that one; then it is spoken of no more."""
        with self._lock:
            same = self._token == token.access_token
            self._token = "" if same else self._token
            return same


def _same(token: Token, other: Token | None) -> bool:
    return other is not None and token.access_token == other.access_token
