"""Severa's error answers as the bridge's own errors (docs/vendors/severa.md S9)."""

from __future__ import annotations

import re

import httpx

from connectors.answers import MESSAGE_LENGTH, message_of, parsed
from connectors.meaning import Question, not_the_vendors_404
from connectors.severa.models import error_body
from connectors.verdict import Dialect, retry_after
from domain.errors import BridgeError, Forbidden, RateLimited, Refused, SignInFailed

SYSTEM = "severa"

_QUOTA = re.compile(r"API calls quota exceeded", re.IGNORECASE)
_CLOSED_ORGANISATION = {"OrganizationNotActive", "TrialExpired", "TermsOfServiceNotApproved"}
"""Refusals that no single record can cause: the whole connection is shut (docs/vendors/severa.md S10)."""
_OWN_MEANING = {401, 404, 408, 412, 425, 429}


def message(answer: httpx.Response) -> str:
    """The vendor's words: the texts of ``error.details[]``, else the error's type, else whatever text there is."""
    error = error_body(parsed(answer))
    if error is not None:
        texts = [detail.message for detail in error.details or () if detail.message]
        if texts or error.type:
            return ("; ".join(texts) or error.type or "")[:MESSAGE_LENGTH]
    return message_of(answer)


def error_type(answer: httpx.Response) -> str:
    """The document's word for the error, '' if the answer has none."""
    error = error_body(parsed(answer))
    return (error.type or "") if error is not None else ""


def by_body(answer: httpx.Response, text: str, operation: str) -> BridgeError | None:
    """Refusals that the error's type tells more about than the status; the type goes along as field ``type``. A 404 that
    is not Severa's own says nothing of the record."""
    status, kind = answer.status_code, error_type(answer)
    if _QUOTA.search(text):
        # Always a 'no', whichever status a gateway puts on it (docs/vendors/severa.md S7).
        wait = retry_after(answer.headers)
        return RateLimited(
            text, retry_after=wait, costs_attempt=True, system=SYSTEM, status=status, operation=operation
        )
    if (not_known := not_the_vendors_404(answer, Question(SYSTEM, operation))) is not None:
        return not_known
    if 400 <= status < 500 and kind in _CLOSED_ORGANISATION:
        return SignInFailed(text, system=SYSTEM, reason="no_license", type=kind, status=status)
    if not kind or not 400 <= status < 500 or status in _OWN_MEANING:
        return None
    refusal = Forbidden if status == 403 else Refused
    return refusal(text, system=SYSTEM, status=status, operation=operation, type=kind)


DIALECT = Dialect(system=SYSTEM, message=message, by_body=by_body)
