"""Where the demo puts its data, and whose data it leaves alone."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from app.demo import stage
from app.embedded import only_process
from domain.errors import InputError


@pytest.fixture
def earlier_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with an earlier demo's data in it, named by BRIDGE_DATA_DIR."""
    directory = tmp_path / "demo"
    (directory / "postgres").mkdir(parents=True)
    (directory / "postgres" / "PG_VERSION").write_text("18\n")
    (directory / "secret.keys").write_text("a key\n")
    (directory / stage._OURS).touch()
    monkeypatch.setenv("BRIDGE_DATA_DIR", str(directory))
    return directory


def begin() -> None:
    with stage.open_stage(threading.Event()):
        raise AssertionError("the demo began")


def test_a_second_demo_on_the_same_directory_is_refused_and_the_firsts_data_is_kept(
    earlier_day: Path,
) -> None:
    with only_process(earlier_day), pytest.raises(InputError, match="Another bridge already runs"):
        begin()
    assert (earlier_day / "postgres" / "PG_VERSION").read_text() == "18\n"
    assert (earlier_day / "secret.keys").read_text() == "a key\n"


def test_a_bridges_own_data_is_left_alone(earlier_day: Path) -> None:
    (earlier_day / stage._OURS).unlink()
    with pytest.raises(InputError, match="which the demo leaves alone"):
        begin()
    assert (earlier_day / "postgres" / "PG_VERSION").exists()


def test_the_lock_is_given_back_when_the_demo_does_not_begin(earlier_day: Path) -> None:
    (earlier_day / stage._OURS).unlink()
    with pytest.raises(InputError):
        begin()
    with only_process(earlier_day):
        pass
