"""Writing to Visma.net ERP: a yes whose content is not understood is never taken for done as asked, nor for not done."""

from __future__ import annotations

import mimetypes
from decimal import Decimal

import httpx

from connectors.meaning import Odd, Question, after_the_yes, is_empty, json_of, key_text, object_of
from connectors.visma_net.amounts import AMOUNTS
from connectors.visma_net.calls import Calls
from connectors.visma_net.errors import SYSTEM
from connectors.visma_net.keys import Located, located, names_key, segment
from connectors.visma_net.paths import item_path, parented, register_of
from connectors.visma_net.reading import Reader, record_in
from connectors.visma_net.register import Register
from connectors.visma_net.registers import REGISTERS
from connectors.visma_net.rows import first, member, plain
from domain.errors import BridgeError, NotFound
from domain.model import ActionResult, Json

_RESULTS = {word.casefold(): word for word in ("Done", "Queued", "InProcess", "Failed")}


class Writer:
    """The writing half of a connection."""

    def __init__(self, calls: Calls, reader: Reader) -> None:
        self._calls = calls
        self._reader = reader

    def create(self, register: str, body: Json, not_after: float | None) -> str:
        """POST; ``VismaNetClient.create``."""
        known, parent = parented(register)
        if not known.creating:
            raise ValueError(f"nothing is created in Visma.net ERP register '{register}'")
        path = known.creating.format(key=segment(parent)) if "{key}" in known.creating else known.creating
        answer = self._calls.once("POST", path, json=body, not_after=not_after)
        return self._key(known, answer, body, f"POST {path}")

    def update(
        self,
        register: str,
        key: str,
        body: Json,
        etag: str | None,
        not_after: float | None,
        until: float | None,
    ) -> str | None:
        """PUT; ``VismaNetClient.update``."""
        known = register_of(register)
        if not known.changing:
            raise ValueError(f"nothing is changed in Visma.net ERP register '{register}'")
        path = item_path(known, key)
        headers = {"If-Match": etag} if etag and known.if_match else None
        answer = self._calls.again("PUT", path, json=body, headers=headers, not_after=not_after, until=until)
        if not is_empty(answer) and not _is_record(answer, known, key):
            # Somebody who never passed the PUT on may have answered: what is stored must show what was written.
            question = Question(SYSTEM, f"PUT {path}")
            with after_the_yes(question, not_after):
                stored = self._reader.get(register, key)
                if not _shows(body, stored.body):
                    raise question.not_known(
                        "it is no answer to a PUT, and the record does not show the change"
                    )
            return stored.etag
        return answer.headers.get("etag") or None

    def delete(self, register: str, key: str, not_after: float | None) -> bool:
        """DELETE; ``VismaNetClient.delete``."""
        known = register_of(register)
        if not known.removing:
            raise ValueError(f"nothing is deleted in Visma.net ERP register '{register}'")
        path = item_path(known, key)
        try:
            answer = self._calls.again("DELETE", path, not_after=not_after)
        except NotFound:
            return False
        question = Question(SYSTEM, f"DELETE {path}")
        with after_the_yes(question, not_after):
            # The document gives 204 and nothing else (docs/vendors/visma-net-erp.md E15); an empty 200 is some gateway's, and the record may still be there.
            if answer.status_code != 204 or not is_empty(answer):
                raise question.not_known("it is no answer to a DELETE")
        return True

    def act(
        self,
        register: str,
        key: str,
        action: str,
        body: Json | None,
        etag: str | None,
        not_after: float | None,
    ) -> ActionResult:
        """POST of an action; ``VismaNetClient.act``."""
        known = register_of(register)
        if action not in known.actions:
            raise ValueError(f"Visma.net ERP register '{register}' has no action '{action}'")
        path = known.actions[action].format(key=segment(key))
        headers = {"If-Match": etag} if etag and known.if_match and action == "release" else None
        answer = self._calls.once("POST", path, json=body, headers=headers, not_after=not_after)
        try:
            return _action_result(answer)
        except Odd as odd:
            raise Question(SYSTEM, f"POST {path}").outcome_unknown(odd) from odd

    def attach(self, register: str, key: str, name: str, content: bytes, not_after: float | None) -> None:
        """Header attachment; ``VismaNetClient.attach``."""
        known = register_of(register)
        if not known.attaching:
            raise ValueError(f"nothing can be attached in Visma.net ERP register '{register}'")
        path = known.attaching.format(key=segment(key))
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        answer = self._calls.once(
            "POST", path, files={"file": (name, content, media_type)}, not_after=not_after
        )
        if not is_empty(answer) and "location" not in answer.headers:
            raise Question(SYSTEM, f"POST {path}").outcome_unknown("it is no answer to an attachment")

    def _key(self, known: Register, answer: httpx.Response, sent: Json, operation: str) -> str:
        """The key of what was made. A Location says it; without one a body must be the record, and a 201 without a body
        leaves it open (''): docs/vendors/visma-net-erp.md E14."""
        location = answer.headers.get("location", "")
        chosen = first(plain(sent), known.number) if known.number else ""
        if chosen and names_key(location, chosen):
            return chosen
        place = located(location, known.name)
        if place is not None:
            return self._number(known, place) if place.internal else place.key
        if is_empty(answer):
            return ""
        try:
            body = object_of(plain(json_of(answer)), AMOUNTS)
        except Odd as odd:
            raise Question(SYSTEM, operation).outcome_unknown(odd) from odd
        number = key_text(next(member(body, known.number), None)) if known.number else ""
        if not number:
            raise Question(SYSTEM, operation).outcome_unknown("the answer does not name the record")
        return number

    def _number(self, known: Register, place: Located) -> str:
        internal = REGISTERS.get(f"{known.name}/internal")
        if internal is None:
            return place.key
        try:
            answer = self._calls.follow(item_path(internal, place.key))
            return first(record_in(json_of(answer), internal, place.key), known.number)
        except (BridgeError, Odd):
            # The record is there; only its number could not be read. Whoever called looks it up.
            return ""


def _action_result(answer: httpx.Response) -> ActionResult:
    """What an action answered; a result that is not in the vendor's list stays as it is. Raises Odd for anything that is
    neither empty nor a result."""
    if is_empty(answer):
        return ActionResult("Done", "")
    body = plain(json_of(answer))
    said = key_text(body.get("actionResult")) if isinstance(body, dict) else ""
    if not said:
        raise Odd("it is no result of an action")
    error = body.get("errorInfo")
    return ActionResult(_RESULTS.get(said.replace(" ", "").casefold(), said), str(error) if error else "")


def _is_record(answer: httpx.Response, known: Register, key: str) -> bool:
    try:
        record_in(json_of(answer), known, key)
    except Odd:
        return False
    return True


def _shows(sent: Json, stored: Json) -> bool:
    """Whether a record shows the scalars that were written, as far as it shows those members at all."""
    return all(_same(value, stored[name]) for name, value in plain(sent).items() if name in stored)


def _same(written: object, shown: object) -> bool:
    if isinstance(written, dict | list) or isinstance(shown, dict | list):
        return True
    if isinstance(written, Decimal | int) and isinstance(shown, Decimal | int):
        return written == shown
    left, right = ("" if one is None else str(one).strip().casefold() for one in (written, shown))
    return left == right
