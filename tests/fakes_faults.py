"""Calls of the in-memory vendors, and how any of them is made to fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class Killed(BaseException):
    """The process died here. No BridgeError: no clean-up code of ours may run."""


@dataclass(frozen=True)
class Call:
    """One thing that was asked of the outside: ``system`` is severa, visma_net or bridge (begin, done, claim)."""

    system: str
    method: str
    register: str
    key: str
    body: Any = None

    def __str__(self) -> str:
        return f"{self.system} {self.method} {self.register} {self.key}".rstrip()


@dataclass
class _Armed:
    error: BaseException
    after: bool
    skip: int
    times: int
    matches: Callable[[Call], bool]


class Faults:
    """Errors to raise: before the work is done (``after=False``) or when it is done but the answer is lost."""

    def __init__(self) -> None:
        self.armed: list[_Armed] = []
        # The process died: what it had not committed is lost.
        self.killed = False

    def arm(
        self,
        method: str,
        register: str,
        error: BaseException,
        *,
        after: bool = False,
        skip: int = 0,
        times: int = 1,
    ) -> None:
        """The (skip+1)-th and following ``times`` calls of (method, register) raise ``error``."""
        self.armed.append(
            _Armed(error, after, skip, times, lambda c: c.method == method and c.register == register)
        )

    def arm_nth(
        self, n: int, error: BaseException, *, after: bool = False, only: Callable[[Call], bool] | None = None
    ) -> None:
        """The n-th event (from 1, over everything that ``only`` lets pass) raises ``error``."""
        self.armed.append(_Armed(error, after, n - 1, 1, only or (lambda _call: True)))

    def clear(self) -> None:
        self.armed.clear()

    def around(self, call: Call, work: Callable[[], Any]) -> Any:
        """Does ``work`` unless a fault says otherwise."""
        for fault in self.armed:
            if not fault.matches(call) or fault.times == 0:
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.times -= 1
            if fault.after:
                work()
            self.killed = self.killed or isinstance(fault.error, Killed)
            raise fault.error
        return work()
