"""Whether a document asks to be brought as costs: pure, so that no delivery is made for nothing."""

from __future__ import annotations

from domain.cost.registers import JOURNALS, NEVER, module_of, wanted
from domain.model import Json, System
from domain.ports import Books
from domain.setup.settings import TenantSettings


def chosen(module: str, settings: TenantSettings) -> bool:
    """Whether this tenant brings journals of a module (setting journal_modules, by default GL and CA)."""
    return module in settings.journal_modules and module not in NEVER


def asks(_system: System, register: str, body: Json, _books: Books, settings: TenantSettings) -> bool:
    """Costs are on, and a journal is of a chosen module: what ``settle`` leaves otherwise, and would never come back to if a
    changed setting did not announce it (rule 19)."""
    return wanted(settings) and (register != JOURNALS or chosen(module_of(body), settings))
