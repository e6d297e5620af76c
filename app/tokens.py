"""Where a connection's token is kept: sealed, in the connection's row, for all processes alike.

One of them signs in at a time, under a lease. A store belongs to one revision of the connection: a token of the old address never
goes to the new one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from connectors.signing_in import Token
from db import tenants
from db.pool import Database
from db.secrets import Secrets
from domain.errors import InputError, Unavailable
from domain.model import System


class StoredTokens:
    """``connectors.signing_in.TokenStore`` over one revision of the connection's row; the token is sealed at rest."""

    def __init__(
        self, db: Database, secrets: Secrets, stored: tenants.StoredConnection, check: Callable[[], None]
    ) -> None:
        """``check`` raises Unavailable once the connection is known to be another."""
        self._db = db
        self._secrets = secrets
        self._tenant_id = stored.tenant_id
        self._system = stored.system
        self._revision = stored.revision
        self._check = check

    def check(self) -> None:
        """Raises Unavailable once the connection is known to be another."""
        self._check()

    def load(self) -> Token | None:
        """The token as last saved, by whatever process. Raises Unavailable when the connection is another by now."""
        with self._db.tenant(self._tenant_id) as db:
            found = tenants.token(db, self._system, self._revision)
        if found is None:
            raise changed(self._system)
        [sealed] = found
        if sealed is None:
            return None
        kept = json.loads(self._secrets.open(sealed))
        return Token(
            kept["access_token"],
            datetime.fromisoformat(kept["expires_at"]),
            kept["scope"],
            kept["refresh_token"],
        )

    def begin_refresh(self) -> bool:
        """Takes the lease of the sign-in; False: somebody else has it."""
        with self._db.tenant(self._tenant_id) as db:
            return tenants.lease_refresh(db, self._system, self._revision)

    def save(self, token: Token) -> None:
        """Keeps the token sealed and gives the lease back. Raises Unavailable when the connection is another by now."""
        text = json.dumps(
            {
                "access_token": token.access_token,
                "expires_at": token.expires_at.isoformat(),
                "scope": token.scope,
                "refresh_token": token.refresh_token,
            }
        )
        sealed = self._secrets.seal(text)
        with self._db.tenant(self._tenant_id) as db:
            kept = tenants.save_token(db, self._system, self._revision, sealed, token.expires_at)
        if not kept:
            raise changed(self._system)

    def end_refresh(self) -> None:
        """Gives the lease back without a token."""
        with self._db.tenant(self._tenant_id) as db:
            tenants.end_refresh(db, self._system, self._revision)

    def forget(self) -> None:
        """Drops the token: the next call signs in."""
        with self._db.tenant(self._tenant_id) as db:
            tenants.forget_token(db, self._system, self._revision)


def kept_tokens(db: Database, secrets: Secrets, tenant_id: UUID, system: System) -> StoredTokens:
    """The tokens of a connection as it stands now, for a command that signs in. Raises InputError when there is none."""
    with db.tenant(tenant_id) as connection:
        stored = tenants.connection(connection, system)
    if stored is None:
        raise InputError("The tenant has no such connection: add its file first.")
    return StoredTokens(db, secrets, stored, lambda: None)


def changed(system: System) -> Unavailable:
    """What a client of an older revision raises: nothing was sent, and the next attempt has a client of the present one."""
    return Unavailable("the connection was changed", retry_after=1.0, costs_attempt=False, system=system)
