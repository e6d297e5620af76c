"""What tells projects from the other registers that are kept on both sides. They are no merge: owned fields are written back."""

from __future__ import annotations

from domain.mirror import Mirror, by_number
from domain.model import Record, System
from domain.ports import Books
from domain.project.registers import ERP_PROJECT, PROJECTS, erp_id


def _by_number(books: Books, system: System, number: str) -> list[Record]:
    return books.find(system, PROJECTS if system == "severa" else ERP_PROJECT, number=number)


MIRROR = Mirror("project", ERP_PROJECT, identify=erp_id, gone=by_number("project", "number", _by_number))
