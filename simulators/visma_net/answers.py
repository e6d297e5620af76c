"""What a handler answers with, and the refusals the vendor's documents describe."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

JSON_TYPE = "application/json; charset=utf-8"


def _plain(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no place in an answer")


def to_json(value: Any) -> bytes:
    """Money leaves as a JSON number; a double prints every amount of this size exactly as it was."""
    return json.dumps(value, default=_plain, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass(slots=True)
class Answer:
    """``body`` None means no body at all, bytes go out as they are, anything else as JSON."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = JSON_TYPE

    def payload(self) -> bytes:
        """The bytes of the body; JSON with exact numbers unless it is bytes already."""
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else to_json(self.body)


class RefusalError(Exception):
    """The ERP says no: carries the status and the body of the answer."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status} {body!r}")
        self.status = status
        self.body = body
        self.headers = headers or {}

    def answer(self) -> Answer:
        """The refusal as an answer."""
        return Answer(self.status, self.body, dict(self.headers))


def rule_broken(text: str) -> RefusalError:
    """A business rule: 400 with the bare message (docs/vendors/visma-net-erp.md E38)."""
    return RefusalError(400, {"message": text})


def entry_refused(text: str, doing: str = "creating document") -> RefusalError:
    """A value the ERP cannot take: 400 with the long form of the message (docs/vendors/visma-net-erp.md E38)."""
    return RefusalError(400, {"message": f"VismaId: {uuid.uuid4()}.  Error {doing}. Error: {text}"})


def not_in_system(what: str, value: str) -> RefusalError:
    """A value that names nothing, in the vendor's words."""
    return entry_refused(f"{what} '{value}' cannot be found in the system.")


def malformed(problems: dict[str, str]) -> RefusalError:
    """A body or query the model binder cannot read: 400, the form with a capital M."""
    state = {path: [text] for path, text in problems.items()}
    return RefusalError(400, {"Message": "The request is invalid.", "ModelState": state})


def not_found(what: str = "") -> RefusalError:
    """404 with a message, as the ERP itself answers; an unknown route has none."""
    return RefusalError(404, {"message": f"{what} was not found." if what else "Not found."})


def created(location: str, etag: str) -> Answer:
    """201 with an EMPTY body: the key is only in Location (docs/vendors/visma-net-erp.md E14)."""
    return Answer(201, None, {"Location": location, "ETag": f'"{etag}"'})


def changed(location: str, etag: str) -> Answer:
    """204 to a PUT: empty, with the place and the new version."""
    return Answer(204, None, {"Location": location, "ETag": f'"{etag}"'})


def action_result(result: str = "Done", error_info: str = "", **more: Any) -> Answer:
    """200 to an action, ``more`` beside its members."""
    return Answer(
        200, {**more, "actionId": str(uuid.uuid4()), "actionResult": result, "errorInfo": error_info}
    )


LICENCE_REFUSAL: dict[str, str] = {
    "ExceptionType": "IPPException",
    "ExceptionMessage": "No license for this company.",
    "ExceptionFaultCode": "12027",
    "ExceptionMessageID": "12027_6e2a06a8-76d8-4e9a-bce8-a5818d60a388",
    "ExceptionDetails": "",
}
