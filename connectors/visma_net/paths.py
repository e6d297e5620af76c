"""Paths of the ERP: which register a name means, and where one of its records stands."""

from __future__ import annotations

from connectors.visma_net.keys import segment
from connectors.visma_net.register import Register
from connectors.visma_net.registers import REGISTERS, register

_SUPPLIER_TYPES = {
    word.casefold()
    for word in (
        *("Check", "CreditAdj", "DebitAdj", "Invoice", "Prepayment", "QuickCheck", "Refund"),
        *("VoidCheck", "VoidQuickCheck", "Payment"),
    )
}


def register_of(name: str) -> Register:
    """The register of that name. Raises ValueError for one that the catalogue does not have."""
    try:
        return register(name)
    except KeyError as unknown:
        raise ValueError(unknown.args[0]) from unknown


def parented(name: str) -> tuple[Register, str]:
    """The register to create in, and its parent's id where the path names it (``projecttask/812``)."""
    if name in REGISTERS:
        return REGISTERS[name], ""
    family, _, parent = name.rpartition("/")
    return (REGISTERS[family], parent) if family in REGISTERS and parent else (register_of(name), "")


def typed_key(known: Register, key: str) -> tuple[str, str]:
    """Type ('' = none said) and number of a key that may be ``<type>/<number>``."""
    kind, slash, number = key.partition("/")
    if known.typed_item and slash and kind.casefold() in _SUPPLIER_TYPES:
        return kind, number
    return "", key


def item_path(known: Register, key: str) -> str:
    """The path of one record. Raises ValueError for a register without single records, and for an empty key."""
    if not known.item:
        raise ValueError(f"Visma.net ERP register '{known.name}' has no single records")
    kind, number = typed_key(known, key)
    if kind:
        return known.typed_item.format(type=segment(kind), key=segment(number))
    return known.item.format(key=segment(key))
