"""What ``up`` tells a person who looks on: "nordkonsult: 5 customers linked, 2 made; 1 new problem."

It hears the log: what the lines say to machines, one each, is added up here and said in a sentence per tenant. Warnings and
errors are said one by one.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, MutableMapping
from types import MappingProxyType
from typing import Any

from app.words import SYSTEM_NAMES
from domain import clock

NOUNS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "customer": ("customer", "customers"),
        "contact": ("contact", "contacts"),
        "product": ("item", "items"),
        "project": ("project", "projects"),
        "invoice": ("invoice", "invoices"),
        "credit_note": ("credit note", "credit notes"),
        "payment": ("payment", "payments"),
        "cost": ("cost document", "cost documents"),
    }
)
# Part of a code behind its domain → what was done. The longest one that fits counts; a line of another kind is not told here.
_DONE: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "linked": ("", "linked"),
        "created": ("", "made"),
        "created_in_erp": ("", "made"),
        "created_in_severa": ("", "made"),
        "updated": ("", "changed"),
        "updated_in_erp": ("", "changed"),
        "updated_in_severa": ("", "changed"),
        "contact_linked": ("contact", "linked"),
        "contact_created_in_erp": ("contact", "made"),
        "contact_created_in_severa": ("contact", "made"),
        "contact_updated_in_erp": ("contact", "changed"),
        "contact_updated_in_severa": ("contact", "changed"),
        "activated": ("", "opened"),
        "completed": ("", "closed"),
        "cancelled": ("", "closed"),
        "transferred": ("", "booked"),
        "restored": ("", "booked"),
        "credit_note_transferred": ("credit_note", "booked"),
        "paid": ("", "carried over"),
        "partly_paid": ("", "carried over"),
        "part_shown_here": ("", "carried over"),
        "reversed": ("", "reversed"),
        "brought": ("", "brought to projects"),
        "taken_back": ("", "taken back"),
    }
)
# Said by the command itself, or of no use to somebody who looks on.
_UNSAID = frozenset({"stopping", "fenced_out"})
_ORDER = list(NOUNS)
# Seconds after which the same warning is said again.
AGAIN = 300.0


class Teller:
    """A processor of structlog; ``said`` empties it. For several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done: dict[str, Counter[tuple[str, str]]] = {}
        self._problems: Counter[str] = Counter()
        self._events: list[str] = []
        # sentence → when it was heard first
        self._heard: dict[str, float] = {}

    def hear(
        self, _logger: object, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Adds up one line of the log; gives it on as it is."""
        tenant = str(event.get("tenant") or "")
        with self._lock:
            match event.get("event"):
                case "settled":
                    done = self._done.setdefault(tenant, Counter())
                    done.update(filter(None, (_what(code) for code in event.get("codes", ()))))
                case "failed":
                    self._problems[tenant] += 1
                case name if event.get("level") in ("warning", "error", "critical") and name not in _UNSAID:
                    self._warn(_event(str(name), tenant, event))
        return event

    def _warn(self, sentence: str) -> None:
        """Once in a while: a system that is away says so at every poll."""
        now = clock.monotonic()
        self._heard = {one: at for one, at in self._heard.items() if now - at < AGAIN}
        if sentence not in self._heard:
            self._heard[sentence] = now
            self._events.append(sentence)

    def said(self) -> list[str]:
        """What has happened since the last time, a sentence per tenant, then warnings in their order."""
        with self._lock:
            done, self._done = self._done, {}
            problems, self._problems = self._problems, Counter()
            events, self._events = self._events, []
        names = sorted({name for name, what in done.items() if what} | set(problems))
        return [*(_sentence(name, done.get(name, Counter()), problems[name]) for name in names), *events]


def _what(code: str) -> tuple[str, str] | None:
    """(noun, what was done) of a line's code."""
    domain, _, rest = code.partition(".")
    found = _DONE.get(rest)
    return None if found is None or domain not in NOUNS else (found[0] or domain, found[1])


def _sentence(tenant: str, done: Counter[tuple[str, str]], problems: int) -> str:
    parts = []
    for noun in _ORDER:
        verbs = sorted((verb, n) for (one, verb), n in done.items() if one == noun)
        if verbs:
            first, rest = verbs[0], verbs[1:]
            said = f"{first[1]} {NOUNS[noun][first[1] != 1]} {first[0]}"
            parts.append(", ".join([said, *(f"{n} {verb}" for verb, n in rest)]))
    if problems:
        parts.append(
            f"{problems} {'problem' if problems == 1 else 'problems'} ('severa-bridge problems {tenant}')"
        )
    return f"{tenant}: {'; '.join(parts)}."


def _event(name: str, tenant: str, event: Mapping[str, Any]) -> str:
    """A warning as it stands in the log, in words."""
    system = SYSTEM_NAMES.get(str(event.get("system")), "")
    where = " ".join(str(part) for part in (system, event.get("register")) if part)
    about = ", ".join(part for part in (tenant, where) if part)
    said = event.get("error") or event.get("reason") or ""
    return (
        f"{name.replace('_', ' ').capitalize()}{f' ({about})' if about else ''}{f': {said}' if said else ''}"
    )
