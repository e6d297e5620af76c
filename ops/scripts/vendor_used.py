"""What the project uses of the vendors' interfaces, told by its own code: the operations of both catalogues and of both
simulators, and the models that tests name though no such operation reaches them.

The extract (``vendor_extract.py``) holds these whole; of every other operation it holds the name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from connectors.severa import REGISTERS as SEVERA_REGISTERS
from connectors.severa.auth import TOKEN_PATH
from connectors.severa.registers import DOWNLOADS
from connectors.severa.registers import Register as SeveraRegister
from connectors.visma_net import REGISTERS as ERP_REGISTERS
from connectors.visma_net.register import Register as ErpRegister
from simulators.severa import files
from simulators.severa.operations import ordinary, others
from simulators.visma_net.app import all_routes

Key = tuple[str, str]
"""Verb in small letters, and shape of the path (``shape``)."""

MODELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # Words of query parameters that the document types as a list of text.
        "severa": ("CustomerChangedSinceSearchExtensionOptions", "InvoicePdfGetOptions", "InvoiceType"),
        "visma-net": (),
    }
)


def shape(path: str) -> str:
    """A path without the names of its parameters and without regard to case: code and documents name them differently."""
    return re.sub(r"\{[^}]*\}", "{}", path).casefold()


def operations(system: str) -> frozenset[Key]:
    """Verb and shape of path of everything that a connector can send or a simulator answers; ``severa`` or ``visma-net``."""
    found = _severa() if system == "severa" else _visma_net()
    return frozenset((verb.lower(), shape(path)) for verb, path in found if path)


def _severa() -> Iterator[tuple[str, str]]:
    for register in SEVERA_REGISTERS.values():
        yield from _of_severa(register)
    yield from (("GET", path) for path, _query in DOWNLOADS.values())
    yield from (("POST", path) for path in (TOKEN_PATH, "/v1/refreshtoken"))
    for one in (*ordinary(), *others(), *files.OPERATIONS):
        yield one.method, f"/v1{one.template}"


def _of_severa(register: SeveraRegister) -> Iterator[tuple[str, str]]:
    yield "GET", register.list_path or ""
    yield "GET", register.item_path or ""
    yield "POST", register.create_path or ""
    if register.patches:
        yield "PATCH", register.item_path or ""


def _visma_net() -> Iterator[tuple[str, str]]:
    for register in ERP_REGISTERS.values():
        yield from _of_visma_net(register)
    yield from all_routes().all()


def _of_visma_net(register: ErpRegister) -> Iterator[tuple[str, str]]:
    yield from (("GET", path) for path in (register.listing, register.item, register.typed_item))
    yield from (
        ("POST", path) for path in (register.creating, register.attaching, *register.actions.values())
    )
    if register.changing:
        yield "PUT", register.item
    if register.removing:
        yield "DELETE", register.item
