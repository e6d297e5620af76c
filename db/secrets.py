"""Secrets at rest: Fernet with key rotation (cryptography's MultiFernet).

The first key encrypts, all keys decrypt. Keys come from BRIDGE_SECRET_KEYS (comma between them) or from a file with mode
600; ``rotate`` re-encrypts with the first key, so that the others can be dropped afterwards.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from domain.errors import InputError
from domain.text import decoded


class Secrets:
    """Encrypts and decrypts small secrets (client secrets, tokens)."""

    def __init__(self, keys: list[str]) -> None:
        """``keys``: urlsafe base64 Fernet keys, newest first. Raises InputError when there is none or one is malformed."""
        if not keys:
            raise InputError(
                "There is no key for the stored secrets: set BRIDGE_SECRET_KEYS or BRIDGE_SECRET_KEY_FILE."
            )
        try:
            self._fernet = MultiFernet([Fernet(key.encode()) for key in keys])
        except ValueError as error:
            raise InputError(
                "A key in BRIDGE_SECRET_KEYS is malformed: make one with 'severa-bridge secrets new-key'."
            ) from error
        self.key_id = hashlib.sha256(keys[0].encode()).hexdigest()[:12]

    def seal(self, text: str) -> bytes:
        """The text under the first key."""
        return self._fernet.encrypt(text.encode())

    def open(self, sealed: bytes | memoryview) -> str:
        """Raises InputError when no key fits: the keys were lost or exchanged."""
        try:
            return self._fernet.decrypt(bytes(sealed)).decode()
        except InvalidToken as error:
            raise InputError(
                "The stored secrets cannot be decrypted with the present keys: restore the key file or add the tenant again."
            ) from error

    def rotated(self, sealed: bytes | memoryview) -> bytes:
        """The same secret under the first key. Raises InputError when no key fits."""
        return self.seal(self.open(sealed))


def new_key() -> str:
    """A fresh key."""
    return Fernet.generate_key().decode()


def read_key_file(path: Path, *, create: bool) -> list[str]:
    """Keys from a file, one per line, newest first. Raises InputError when it can be read by others.

    ``create``: make the file with one key when it is not there (the embedded default, where nobody is to prepare anything).
    """
    if not path.exists():
        if not create:
            raise InputError(
                f"The key file {path} does not exist: make it with 'severa-bridge secrets new-key' and mode 600."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        owner = path.parent.stat()
        if os.geteuid() == 0 and owner.st_uid != 0:
            # What root makes belongs to whose directory it is: that person's bridge must read it without root.
            os.fchown(handle, owner.st_uid, owner.st_gid)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(new_key() + "\n")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise InputError(
            f"The key file {path} can be read by others (mode {mode:o}): run 'chmod 600 {path}'."
        )
    try:
        text = decoded(path.read_bytes())
    except ValueError as error:
        raise InputError(f"The key file {path} {error}: save it as UTF-8.") from error
    return [line.strip() for line in text.splitlines() if line.strip()]
