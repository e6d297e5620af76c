"""Registers that several domains look things up in and nobody settles."""

from __future__ import annotations

from domain.mapper import text
from domain.model import Json, System
from domain.registers import Register


def _reference(system: System, name: str, key: str, title: str) -> Register:
    return Register(
        system=system,
        name=name,
        identify=lambda body: text(body, key),
        number=lambda body: text(body, key),
        title=lambda body: text(body, title),
        projection=_whole,
        concerns=lambda _body: (),
        remote_time=lambda _body: None,
        reference=True,
    )


def _whole(body: Json) -> dict[str, str]:
    return {name: repr(value) for name, value in body.items() if name not in {"metadata", "timeStamp"}}


REGISTERS: tuple[Register, ...] = (
    _reference("severa", "businessunits", "guid", "name"),
    _reference("severa", "localization/countries", "guid", "name"),
    _reference("visma_net", "customer/customerClass", "id", "description"),
)
