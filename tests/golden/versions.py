"""What today's tables hash of the golden inputs, beside their mapping versions: one may not change without the other.

    PYTHONPATH=tests:. .venv/bin/python -m golden.versions

writes them anew, after a change that is meant. Rows that are read otherwise under the same version are announced as edited by the
first poll after an upgrade, and many of them stop it as a mass change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any

from golden import making, mappings

KEPT = making.DATA / "versions.json"
CASES = 80
"""Inputs of each kind that are hashed."""

Pin = tuple[int, str]


def now() -> dict[str, Pin]:
    """Register → its mapping version, and a digest of the hashes of the golden inputs."""
    code = mappings.on_the_path()
    digests: dict[str, Any] = {}
    for system, name, body in _bodies():
        register = mappings.register(code, system, name)
        row = code.records.row_of(register, body, None, UTC)
        digests.setdefault(f"{system} {name}", hashlib.sha256()).update(row.hash)
    return {
        name: (mappings.register(code, *name.split(" ", 1)).mapping_version, digest.hexdigest()[:16])
        for name, digest in sorted(digests.items())
    }


def kept() -> dict[str, Pin]:
    """The same as it was when somebody last meant it."""
    return {name: (version, digest) for name, (version, digest) in json.loads(KEPT.read_text()).items()}


def _bodies() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for case in _cases("product"):
        yield "severa", case["register"], case["severa"]
        yield "visma_net", "inventory", case["erp"]
    for case in _cases("customer"):
        yield "severa", "customers", case["severa"]
        yield "visma_net", "customer", case["erp"]
        for place in case["places"]:
            yield "severa", "addresses", place
    for case in _cases("contact"):
        yield "severa", "contactpersons", case["severa"]
        yield "visma_net", "contact", case["erp"]
    for case in _cases("project"):
        yield "severa", "projects", case["severa"]
        yield "visma_net", "project", case["erp"]


def _cases(kind: str) -> list[Any]:
    found: list[Any] = making.load(kind)["cases"][:CASES]
    return found


if __name__ == "__main__":
    KEPT.write_text(json.dumps(now(), indent=1) + "\n", encoding="utf-8")
