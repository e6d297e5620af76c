"""Writing to Severa: a yes whose content is not understood is never taken for done as asked, nor for not done."""

from __future__ import annotations

import mimetypes
import uuid
from collections.abc import Mapping, Sequence
from urllib.parse import unquote, urlsplit

import httpx
import structlog

from connectors.answers import dumped
from connectors.http import Transport
from connectors.meaning import Odd, Question, after_the_yes, is_empty, json_of, object_of, same_key
from connectors.severa.amounts import AMOUNTS
from connectors.severa.errors import SYSTEM
from connectors.severa.reading import ACCEPT_JSON, Reader, filled, record_of, register_of
from connectors.severa.registers import REGISTERS
from connectors.severa.spelling import Spelled, Spelling, shows, taken
from domain.errors import NotSent, Refused, SignInFailed, TryLater
from domain.model import Json

_OTHER_FORM = frozenset({400, 422})
"""Refusals after which a PATCH is tried in its other form, while it is not known which one the server takes."""
_log = structlog.get_logger(__name__)


class Writer:
    """The writing half of a connection."""

    def __init__(self, transport: Transport, reader: Reader) -> None:
        self._transport = transport
        self._reader = reader
        self._spelling = Spelling()

    def create(self, register: str, body: Json, parent: str | None, not_after: float | None) -> Json:
        """POST; ``SeveraClient.create``."""
        entry = register_of(register, parent)
        if entry.create_path is None:
            raise ValueError(f"{register} records are not created by the bridge")
        path = filled(entry.create_path, parent=parent)
        answer = self._transport.send(
            "POST", path, repeatable=False, json=body, headers=ACCEPT_JSON, not_after=not_after
        )
        created = _made(answer)
        if created is not None:
            return created
        guid = _last_segment(answer.headers.get("location", ""))
        if guid and entry.item_path is not None:
            try:
                return self._reader.get(entry.name, guid)
            except (TryLater, Refused, SignInFailed):
                # Whatever the reading failed of, the record was made: this must never look like 'not done'.
                _log.warning("created_but_not_read", system=SYSTEM, register=entry.name, guid=guid)
        raise Question(SYSTEM, f"POST {path}").outcome_unknown("the answer does not name the record")

    def patch(
        self,
        register: str,
        guid: str,
        changes: Mapping[str, object],
        not_after: float | None,
        until: float | None,
    ) -> Json:
        """PATCH; ``SeveraClient.patch``."""
        entry = register_of(register)
        if entry.item_path is None or not entry.patches:
            raise ValueError(f"{register} records are not changed by the bridge")
        if not changes:
            raise ValueError("a PATCH needs at least one change")
        path = filled(entry.item_path, guid=guid)
        ways = self._spelling.ways(entry.name, changes)
        question = Question(SYSTEM, f"PATCH {path}")
        refusal = self._spelling.refusal(entry.name, changes)
        stored: Json | None = None
        for way in ways:
            try:
                answer = self._transport.send(
                    "PATCH",
                    path,
                    repeatable=True,
                    json=way.operations,
                    headers=ACCEPT_JSON,
                    not_after=not_after,
                    until=until,
                )
            except Refused as refused:
                # A refusal is a 'no': nothing was changed, and the other form may be the one that is meant.
                if refused.status not in _OTHER_FORM:
                    raise
                refusal = refused if refusal is None or _about_the_path(refusal) else refusal
                self._begin_anew(entry.name, changes, ways, way, not_after, refused)
                continue
            with after_the_yes(question, not_after):
                stored = self._stored(answer, entry.name, guid, changes, way.form)
                if len(ways) > 1 and not taken(changes, entry.name, stored):
                    # Before a status is written a second time it must be sure that the first writing did nothing.
                    stored = self._reader.get(entry.name, guid)
            if taken(changes, entry.name, stored):
                self._spelling.learn(entry.name, changes, way.form)
                return stored
            self._begin_anew(entry.name, changes, ways, way, not_after, None)
        self._spelling.give_up(entry.name, changes, None if stored is None else ways[-1].form)
        if stored is None:
            raise refusal or Refused(system=SYSTEM, operation=f"PATCH {path}")
        return stored

    def upload(
        self, project_guid: str, name: str, description: str, content: bytes, not_after: float | None
    ) -> Json:
        """Add one file to a project; ``SeveraClient.upload``."""
        path = filled(REGISTERS["projects/files"].create_path or "", parent=project_guid)
        boundary = uuid.uuid4().hex
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        body = b"\r\n".join(
            [
                f"--{boundary}\r\nContent-Type: application/json\r\n".encode(),
                dumped({"Description": description, "Name": name}),
                f"--{boundary}\r\nContent-Type: {kind}\r\n".encode(),
                content,
                f"--{boundary}--\r\n".encode(),
            ]
        )
        answer = self._transport.send(
            "POST",
            path,
            repeatable=False,
            content=body,
            headers={**ACCEPT_JSON, "Content-Type": f"multipart/related; boundary={boundary}"},
            not_after=not_after,
        )
        made = _made(answer)
        if made is None and not is_empty(answer):
            raise Question(SYSTEM, f"POST {path}").outcome_unknown("the answer does not name the file")
        return made or {}

    def _begin_anew(
        self,
        register: str,
        changes: Mapping[str, object],
        ways: Sequence[Spelled],
        way: Spelled,
        not_after: float | None,
        refused: Refused | None,
    ) -> None:
        """One permission is one call: the next form needs another. The form that was refused is remembered."""
        if not_after is not None and way is not ways[-1]:
            self._spelling.refused(register, changes, way.form, refused)
            raise NotSent("this form is not taken, another one is to be tried", system=SYSTEM)

    def _stored(
        self, answer: httpx.Response, register: str, guid: str, changes: Mapping[str, object], form: int
    ) -> Json:
        """The record as it stands after a PATCH: from the answer, else read singly.

        An answer without it, be it empty (the document gives none), may come from somebody who never passed the PATCH on, or
        will: then what was read must show what was written, else it is not known (the write may have happened, or may yet).
        It may be the form, too, that was ignored in silence: while none is known the next call tries the other one.
        """
        try:
            return _patched(json_of(answer), guid)
        except Odd as odd:
            stored = self._reader.get(register, guid)
            if not shows(changes, stored):
                self._spelling.give_up(register, changes, form)
                question = Question(SYSTEM, f"PATCH {register}/{guid}")
                raise question.not_known(f"{odd}, and the record does not show the change") from odd
            return stored


def _made(answer: httpx.Response) -> Json | None:
    """The one record that a create answers with (an object, or an array of one); None if it does not name it."""
    try:
        body = json_of(answer)
        if isinstance(body, list) and len(body) == 1:
            body = body[0]
        made = object_of(body, AMOUNTS)
    except Odd:
        return None
    return made if isinstance(made.get("guid"), str) and made["guid"].strip() else None


def _patched(body: object, guid: str) -> Json:
    """The record of that guid in the answer to a PATCH: an object, or one of an array (docs/vendors/severa.md S29). Raises Odd."""
    rows = body if isinstance(body, list) else [body]
    mine = [row for row in rows if isinstance(row, Mapping) and same_key(row.get("guid"), guid)]
    if not mine:
        raise Odd("it does not show the record that was changed")
    return record_of(mine[0], guid)


def _about_the_path(refusal: Refused) -> bool:
    """Whether the vendor complains of the form of a PATCH and not of what is in it: the other form says more."""
    return any(word in refusal.message.casefold() for word in ("path", "target location", "/status"))


def _last_segment(location: str) -> str:
    return unquote(urlsplit(location).path.rstrip("/").rsplit("/", 1)[-1]) if location else ""
