"""The readings the bridge is played against: the strict one, and some that combine everything contrary."""

from __future__ import annotations

from acceptance.strangers.ways import ErpWays, Personality, SeveraWays

PERSONALITIES = (
    Personality("strict"),
)
