"""What the end of one poll means: when its connection is asked again, and what a person is told of it.

A poll ends well, or with one error. Most errors are a bad moment that the next poll makes good: nobody is told of those. The rest
names a person's next step: a sign-in, a setting, or whoever looks after the bridge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.errors import (
    BridgeError,
    Forbidden,
    NotKnown,
    SettingUnusable,
    ShortList,
    SignInFailed,
    TryLater,
)
from domain.model import System

TOLD_AFTER = 3
"""Polls in a row after which a person is told of answers that are not understood: once is a bad moment of the vendor's."""


@dataclass(frozen=True, slots=True)
class Waits:
    """The installation's waits in seconds: ``least`` between two polls of a connection; ``sign_in`` after a sign-in that was
    refused or a setting that cannot be used, where only a person changes anything."""

    least: float
    sign_in: float

    def usual(self, interval: float | None) -> float:
        """Until the next poll of a tenant whose setting says ``interval``; None: its settings are not known."""
        return self.least if interval is None else max(self.least, float(interval))

    def after(self, error: Exception | None, usual: float) -> float:
        """Until the next poll, behind one that ended with ``error`` (None: well)."""
        if isinstance(error, TryLater) and not isinstance(error, ShortList):
            # A list that stays short is not asked for more often than a whole one.
            soon = error.retry_after or self.least
            # Some answer every call with 'in a second'; only the bridge's own waits are as short as they say.
            return min(usual, max(soon, self.least) if error.fields.get("system") else soon)
        return self.sign_in if isinstance(error, SignInFailed | SettingUnusable) else usual


class News(StrEnum):
    """What a poll's end says of its connection."""

    WORKS = "works"
    """it answers as it should, and what once cut a poll before its first register is over"""
    SIGN_IN = "sign in"
    """it does not let the bridge in"""
    SETTING = "setting"
    """a stored setting stops the tenant"""
    DEFECT = "defect"
    """something that no later poll makes good: a refusal, or a fault of the bridge's own"""
    NONE = "none"
    """nothing: it comes again, or whoever waits for this poll is shown it"""


def news(error: Exception | None, *, quiet: bool = False) -> News:
    """``error``: what the poll ended with; ``quiet``: it is raised to whoever asked for the poll, and told nobody else."""
    if error is None:
        return News.WORKS
    if quiet:
        return News.NONE
    if isinstance(error, SignInFailed):
        return News.SIGN_IN
    if isinstance(error, ShortList):
        # The connection did answer; the register has a problem of its own.
        return News.WORKS
    if isinstance(error, SettingUnusable):
        return News.SETTING
    return News.NONE if isinstance(error, TryLater) else News.DEFECT


def meant(error: Exception, system: System) -> Exception:
    """A right or scope that was taken away is a sign-in that fails: nothing can be read until it is given back."""
    if isinstance(error, Forbidden):
        return SignInFailed(error.message, system=system, reason="not_allowed")
    return error


def not_understood(error: Exception | None, register: str, found: Mapping[str, str]) -> dict[str, str]:
    """Registers whose answers this poll did not understand, with what was answered. ``found``: those that it read on behind;
    ``register``: where it stood at its end, which says nothing where it had read on."""
    if found or not isinstance(error, NotKnown) or isinstance(error, ShortList):
        return dict(found)
    return {register: error.message}


def text(error: Exception) -> str:
    """An error in one line, as a problem and a connection's row carry it."""
    return error.message if isinstance(error, BridgeError) else f"{type(error).__name__}: {error}"
