"""What `make fast` runs starts nothing: load changes how long it takes, and nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_a_unit_test_cannot_start_a_process() -> None:
    with pytest.raises(RuntimeError, match="starts a process"):
        subprocess.run([sys.executable, "--version"], check=False)
    with pytest.raises(RuntimeError, match="starts a process"):
        os.fork()


def test_make_fast_runs_the_unit_tests_but_those_that_wait_for_a_server() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    [recipe] = re.findall(r"^fast: .*\n\t@(.*)$", makefile, re.MULTILINE)
    assert recipe == "$(BIN)/pytest tests/unit --ignore=tests/unit/connectors $(ARGS)"
