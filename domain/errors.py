"""Every way a piece of work can end without success, split by what the caller does next.

    BridgeError
    ├── TryLater            nothing happened, or it may be repeated: the same work again, later
    │   ├── RateLimited     the vendor's call budget is used up
    │   ├── Unavailable     never connected, maintenance, time-out of something repeatable
    │   ├── NotSent         the permission to send had run out: begin anew, at once
    │   └── NotKnown        answered, but not with what was asked for: nothing is concluded from it
    │       ├── ShortList        a list that did not come whole: what came is there, what did not may be there
    │       └── RegisterMissing  a list that the server does not have
    ├── Waiting             a record that this one needs is not there yet
    ├── OutcomeUnknown      sent, but no answer: look before anything is sent again
    ├── Refused             the vendor said no (4xx)
    │   ├── NotFound        404
    │   ├── Forbidden       403: a right, scope or licence is missing
    │   └── Stale           412, or the ERP's "another process has updated": read again and merge again
    ├── SettingUnusable     a stored setting that this program cannot work with: the tenant's work stands still
    ├── SignInFailed        no token: wrong secret, unknown tenant, missing consent
    ├── Stop                a person must act; carries the problem's code and values
    │   └── InDoubt         a person must decide between candidates
    ├── LeaseLost           another worker owns this work now
    ├── Interrupted         Ctrl-C at a command: exit code 130
    └── InputError          the operator's input: one sentence, exit code 2

The docstring of a class is its default message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from domain.recording import recorded

if TYPE_CHECKING:
    from domain.model import Effects


class BridgeError(Exception):
    """Something went wrong in the bridge."""

    def __init__(self, message: str | None = None, **fields: Any) -> None:
        self.message = message or (type(self).__doc__ or "").strip().splitlines()[0]
        self.fields = fields
        super().__init__(self.message)


class TryLater(BridgeError):
    """This can be tried again later."""

    def __init__(
        self,
        message: str | None = None,
        *,
        retry_after: float | None = None,
        costs_attempt: bool = True,
        **fields: Any,
    ) -> None:
        """``retry_after`` in seconds, None = the bridge's own back-off.

        What ``costs_attempt`` is somebody else's word: from the second time on it waits the bridge's growing back-off at
        least, whatever it says. What costs none is the bridge's own wait, has an end of its own, and is as short as it says.
        """
        super().__init__(message, **fields)
        self.retry_after = retry_after
        self.costs_attempt = costs_attempt


class RateLimited(TryLater):
    """The vendor's call budget is used up for the moment."""

    def __init__(
        self,
        message: str | None = None,
        *,
        retry_after: float | None = None,
        costs_attempt: bool = False,
        **fields: Any,
    ) -> None:
        """``costs_attempt``: the vendor said so; else nobody was asked, because the budget is known to be used up."""
        super().__init__(message, retry_after=retry_after, costs_attempt=costs_attempt, **fields)


class Unavailable(TryLater):
    """The system does not answer at the moment."""


class NotSent(TryLater):
    """The call was surely not made and needs a new permission.

    Raised only for calls with a ``not_after``: the permission had run out before the request was whole, or the vendor
    said no in a way that a second call may cure (a token it no longer takes, a form it does not know). One permission is
    one call, so the caller begins anew, at once and without counting an attempt (docs/never-twice.md rule 5).
    """

    def __init__(self, message: str | None = None, *, retry_after: float | None = 0.0, **fields: Any) -> None:
        super().__init__(message, retry_after=retry_after, costs_attempt=False, **fields)


class NotKnown(TryLater):
    """The answer could not be understood: nothing is concluded from it."""


class ShortList(NotKnown):
    """A list did not come whole: what it lacks may be there all the same.

    Raised after the last row that came. ``expected`` is the number of rows that the vendor told of, None where it tells
    none; ``got`` the rows that came, each once. Rows that came are good, absence and "none" are not concluded.
    """

    def __init__(
        self,
        message: str | None = None,
        *,
        system: str,
        register: str,
        expected: int | None,
        got: int,
        **fields: Any,
    ) -> None:
        super().__init__(message, system=system, register=register, expected=expected, got=got, **fields)
        self.system = system
        self.register = register
        self.expected = expected
        self.got = got


class RegisterMissing(NotKnown):
    """The server does not have this register: an add-on, an older version, or a wrong address."""

    def __init__(self, message: str | None = None, *, system: str, register: str, operation: str) -> None:
        super().__init__(message, system=system, register=register, operation=operation)
        self.system = system
        self.register = register
        self.operation = operation


class Waiting(BridgeError):
    """A record that this one needs is not in the other system yet.

    ``domain`` and one of ``severa_id`` / ``erp_id`` name what is waited for, so that whoever waits can make
    sure that it has a row of its own and can point at it when it is itself in error (R-INV-11, R-PRJ-5).
    """

    def __init__(
        self,
        domain: str,
        *,
        severa_id: str | None = None,
        erp_id: str | None = None,
        name: str = "",
        need: str = "",
        message: str | None = None,
    ) -> None:
        """``need``: what the other matter is asked to do for this one until it rests ('active' for a project): one writer
        per remote record, so that its own delivery does it (docs/never-twice.md rule 20)."""
        super().__init__(message, domain=domain, severa_id=severa_id, erp_id=erp_id, name=name)
        self.need = need
        self.domain = domain
        self.severa_id = severa_id
        self.erp_id = erp_id
        self.name = name


class OutcomeUnknown(BridgeError):
    """The request was sent but no answer came: it may or may not have been carried out."""


class Refused(BridgeError):
    """The system refused the request."""

    def __init__(
        self,
        message: str | None = None,
        *,
        system: str = "",
        status: int = 0,
        operation: str = "",
        **fields: Any,
    ) -> None:
        """``message`` is the vendor's own text, cut to a readable length; ``operation`` is like ``POST /v1/customer``."""
        super().__init__(message, system=system, status=status, operation=operation, **fields)
        self.system = system
        self.status = status
        self.operation = operation


class NotFound(Refused):
    """The record does not exist in the other system."""


class Forbidden(Refused):
    """A right, a scope or a licence is missing."""


class Stale(Refused):
    """The record was changed by somebody else in the meantime."""


class SettingUnusable(BridgeError):
    """A stored setting cannot be used."""

    def __init__(self, setting: str, value: str, reason: str, also: tuple[str, ...] = ()) -> None:
        """``reason``: what is wrong with the value, in one clause; ``also``: other settings that cannot be used either."""
        more = f" Neither can: {', '.join(also)}." if also else ""
        super().__init__(f"The stored setting '{setting}' cannot be '{value}': {reason}.{more}")
        self.setting = setting
        self.also = also
        self.value = value
        self.reason = reason


class SignInFailed(BridgeError):
    """The system does not accept the sign-in."""

    def __init__(self, message: str | None = None, *, system: str, reason: str, **fields: Any) -> None:
        """``reason``: wrong_secret | missing_scope | unknown_tenant | no_license | refused | not_allowed | signed_out."""
        super().__init__(message, system=system, reason=reason, **fields)
        self.system = system
        self.reason = reason


class Stop(BridgeError):
    """A person must act.

    ``code`` is the stable cause (``invoice.total_differs``), ``values`` fill its sentence in the user's language (typed:
    ``domain.values``).
    ``effects`` are what happened on the way and must be kept even so: records read back, ERP numbers that became
    gaps, a link. ``closes_by_itself`` is said by the catalogue, not here. ``waits_for`` names the record that is itself
    in error: once that one is settled this is tried again (R-INV-11).
    """

    state = "failed"

    def __init__(
        self,
        code: str,
        values: Mapping[str, Any] | None = None,
        *,
        effects: Effects | None = None,
        waits_for: Waiting | None = None,
    ) -> None:
        super().__init__(code, **recorded(code, dict(values or {})))
        self.waits_for = waits_for
        self.code = code
        self.values: dict[str, Any] = dict(values or {})
        self.effects = effects


class InDoubt(Stop):
    """Nobody can tell from outside what happened: a person must decide with the candidates in view.

    ``candidates``: JSON objects with ``type``, ``number`` and the fields that are compared side by side.
    """

    state = "in_doubt"

    def __init__(
        self,
        code: str,
        values: Mapping[str, Any] | None = None,
        *,
        candidates: Sequence[Mapping[str, Any]] = (),
        effects: Effects | None = None,
    ) -> None:
        super().__init__(code, values, effects=effects)
        self.candidates = tuple(dict(one) for one in candidates)


class ForeignWriter(Stop):
    """Somebody else writes with our marker: this tenant's writes go off until a person has looked (rule 6)."""


class LeaseLost(BridgeError):
    """Another worker owns this work now."""


class Interrupted(BridgeError):
    """Stopped."""


class InputError(BridgeError):
    """The input cannot be used."""
