"""The file that holds the keys of the stored secrets."""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path

import pytest

from db.secrets import Secrets, read_key_file
from domain.errors import InputError


def test_a_key_file_is_made_once_closed_to_others_and_read_from_then_on(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret.keys"
    [key] = read_key_file(path, create=True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_key_file(path, create=True) == [key]
    assert Secrets([key]).open(Secrets([key]).seal("hemligt")) == "hemligt"


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret.keys"
    read_key_file(path, create=True)
    path.chmod(0o640)
    with pytest.raises(InputError, match="chmod 600"):
        read_key_file(path, create=True)


def test_no_key_file_is_made_where_the_operator_named_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_key_file(tmp_path / "secret.keys", create=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="concerns an installation that runs as root")
def test_what_root_makes_in_somebodys_directory_belongs_to_that_person(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    shutil.chown(tmp_path, nobody.pw_uid, nobody.pw_gid)
    read_key_file(tmp_path / "secret.keys", create=True)
    made = (tmp_path / "secret.keys").stat()
    assert (made.st_uid, made.st_gid, made.st_mode & 0o777) == (nobody.pw_uid, nobody.pw_gid, 0o600)
