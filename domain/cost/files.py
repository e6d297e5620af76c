"""Attachments of a document and its lines, brought to the projects of its costs (R-CST-4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from domain.cost.brought import Brought
from domain.cost.document import Attachment, Document
from domain.cost.plan import named
from domain.cost.registers import PROJECT_FILES
from domain.cost.table import described
from domain.errors import Refused, Stop
from domain.file_names import file_key, file_name
from domain.mapper import read, text
from domain.model import Json, Permission
from domain.moves import create_once
from domain.ports import Delivery


@dataclass(slots=True)
class Files:
    """Brings files, none twice. ``kept``: ``<attachment id>/<project guid>`` → guid of the file in Severa; it grows.
    ``before_a_write``: raises when the document must be read first."""

    delivery: Delivery
    kept: dict[str, str]
    before_a_write: Callable[[], None]
    _there: dict[str, list[Json]] = field(default_factory=dict)

    def bring(self, document: Document, lines: Mapping[str, Brought]) -> tuple[list[str], list[Stop]]:
        """Files of a line go to its project, files of the document to every project named, described as the line (of
        that project, the first) is. The names added, and what failed: a failed file is never a failed cost."""
        added: dict[str, None] = {}
        problems: list[Stop] = []
        for file, key in _todo(document, lines):
            project = lines[key].project
            place = f"{file.id}/{project}"
            if place in self.kept:
                continue
            description = described(lines[key].text, document.marker(key))
            try:
                self.kept[place] = self._bring(file, project, description, document.prefix)
            except Refused as error:
                values = named(document) | {"file": file.name, "text": error.message}
                problems.append(Stop("cost.attachment_failed", values))
                continue
            added[file.name] = None
        return list(added), problems

    def _bring(self, file: Attachment, project: str, description: str, prefix: str) -> str:
        """Adds one file to one project, once; its guid in Severa, '' if nobody told it."""
        name = f"file {file.id} {project}"
        known = self.delivery.step(name)
        if known is not None and known.done:
            return str(known.result["file"])
        self.before_a_write()
        content = self.delivery.erp.download(file.id)
        if known is None:
            found = self._look_up(file, project, prefix, len(content))
            if found is not None:
                self.delivery.done(name, found)
                return str(found["file"])
        name_sent = file_name(file.name)
        request = {"project": project, "name": name_sent, "description": description, "size": len(content)}

        def send(permission: Permission) -> Json:
            answer = self.delivery.severa.upload(
                project, name_sent, description, content, not_after=permission.not_after
            )
            return {"file": text(answer, "guid")}

        result = create_once(
            self.delivery,
            name,
            request,
            send,
            lambda _sent: self._look_up(file, project, prefix, len(content)),
        )
        return str(result["file"])

    def _look_up(self, file: Attachment, project: str, prefix: str, size: int) -> Json | None:
        """A file of that name and size, marked as this document's, that no other attachment stands for."""
        if project not in self._there:
            self._there[project] = list(self.delivery.severa.list(PROJECT_FILES, parent=project))
        taken = set(self.kept.values())
        for row in self._there[project]:
            shown = read(row, "size")
            # The marker, not the whole description: that may have been cut.
            same = file_key(text(row, "name")) == file_key(file.name) and prefix in text(row, "description")
            if same and text(row, "guid") not in taken and (shown is None or shown == size):
                return {"file": text(row, "guid")}
        return None


def _todo(document: Document, lines: Mapping[str, Brought]) -> list[tuple[Attachment, str]]:
    """Every file with the line whose project and description it gets."""
    todo: list[tuple[Attachment, str]] = []
    first: dict[str, str] = {}
    for line in document.lines:
        if line.key in lines:
            first.setdefault(lines[line.key].project, line.key)
            todo += [(file, line.key) for file in line.files]
    return todo + [(file, key) for file in document.files for key in first.values()]
