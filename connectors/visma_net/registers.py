"""The catalogue of Visma.net ERP paths the bridge uses, as data: contract tests and the documentation iterate over it.

Paths, verbs and query names are those of the vendor's OpenAPI document (case kept). What a list answers to, which
filter asks for changes and in which member of a row a filter can be checked stands in the catalogue and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from connectors.visma_net.documents import DOCUMENTS
from connectors.visma_net.masters import MASTERS
from connectors.visma_net.reference import REFERENCE
from connectors.visma_net.register import Register

REGISTERS: Mapping[str, Register] = MappingProxyType(
    {register.name: register for register in (*MASTERS, *DOCUMENTS, *REFERENCE)}
)

_FOLDED = {name.casefold(): register for name, register in REGISTERS.items()}


def register(name: str) -> Register:
    """The register of that name, in any case. Raises KeyError for one that the catalogue does not have."""
    try:
        return _FOLDED[name.casefold()]
    except KeyError:
        raise KeyError(f"Visma.net ERP register '{name}' is not in the catalogue") from None
