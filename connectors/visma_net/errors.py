"""What Visma.net's refusals mean, where the status alone does not tell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import httpx

from connectors.answers import MESSAGE_LENGTH, message_of, parsed
from connectors.meaning import Question, is_page, not_the_vendors_404
from connectors.verdict import Dialect
from domain.errors import BridgeError, NotKnown, SignInFailed

SYSTEM = "visma_net"

_NO_CONTEXT = re.compile(r"CompanyInContext", re.IGNORECASE)
_TENANT = re.compile(r"tenant", re.IGNORECASE)


def message(answer: httpx.Response) -> str:
    """The ERP's own words, at most 300 characters; with a binding error also which member it was."""
    text = message_of(answer)
    body = parsed(answer)
    if isinstance(body, Mapping) and isinstance(body.get("ModelState"), Mapping):
        details = "; ".join(_texts(body["ModelState"]))
        text = f"{text} {details}".strip()
    return text[:MESSAGE_LENGTH]


def special(status: int, text: str, operation: str) -> BridgeError | None:
    """SignInFailed for a token that names no company; the licence text and everything else have their usual meaning."""
    if 400 <= status < 500 and status != 401 and _NO_CONTEXT.search(text):
        return SignInFailed(text, system=SYSTEM, reason="unknown_tenant", status=status, operation=operation)
    return None


def by_body(answer: httpx.Response, _text: str, operation: str) -> BridgeError | None:
    """A 404 that is not the ERP's own (a gateway's page, an unknown route) says nothing of the record."""
    return not_the_vendors_404(answer, Question(SYSTEM, operation))


DIALECT = Dialect(system=SYSTEM, message=message, special=special, by_body=by_body)


def sign_in_refused(answer: httpx.Response, *, kind: str, refreshing: bool) -> SignInFailed | NotKnown:
    """What a refusal of the token endpoint means; not known where it is a redirect or a page, which judge no secret.
    ``refreshing``: a refresh token or an authorization code was shown."""
    if answer.status_code < 400 or is_page(answer):
        question = Question(SYSTEM, "POST /token")
        return question.not_known(f"HTTP {answer.status_code} that is not Visma Connect's own")
    body = parsed(answer)
    error = str(body.get("error") or "") if isinstance(body, Mapping) else ""
    text = message(answer) or error or f"HTTP {answer.status_code}"
    if error == "invalid_scope":
        reason = "missing_scope"
    elif error == "invalid_grant" and refreshing:
        reason = "signed_out"
    elif error == "invalid_client" or (answer.status_code == 401 and not error):
        reason = "wrong_secret"
    elif "12027" in text:
        reason = "no_license"
    elif kind == "service" and (_TENANT.search(text) or error in ("invalid_grant", "unauthorized_client")):
        # A company that has not approved the application is refused in the same words as one that does not exist
        # (docs/vendors/visma-net-erp.md E1).
        reason = "unknown_tenant"
    else:
        reason = "refused"
    return SignInFailed(text, system=SYSTEM, reason=reason, status=answer.status_code, error=error)


def _texts(state: Mapping[str, object]) -> Iterator[str]:
    for name, problems in state.items():
        for problem in problems if isinstance(problems, list) else [problems]:
            yield f"{name}: {problem}" if name else str(problem)
