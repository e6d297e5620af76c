"""Candidates of a matter in doubt: what a person is shown, and the hash that binds a decision to it (rule 9)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any


def candidates_hash(candidates: Iterable[Mapping[str, Any]]) -> str:
    """The same for the same candidates in any order; moves when a candidate comes, goes, or changes in a shown field."""
    texts = sorted(
        json.dumps({name: str(value or "") for name, value in one.items()}, sort_keys=True)
        for one in candidates
    )
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
