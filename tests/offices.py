"""What people do and see in either system, over HTTP, and how often the bridge called it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

Json = dict[str, Any]

SIGN_IN = ("/token", "/refreshtoken", "/connect/token", "/v1/token", "/v1/refreshtoken")


def money(value: object) -> Decimal:
    """An amount of either system's JSON, with or without its currency."""
    if isinstance(value, Mapping):
        value = value["amount"]
    return Decimal(str(value))


@dataclass
class Simulator:
    """One running simulator; ``home`` is the path below which the people of a firm are found."""

    url: str
    home: str
    http: httpx.Client

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One move below ``/_sim``; numbers come back as Decimal."""
        answer = self.http.request(method, f"{self.url}/_sim{path}", json=body)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return json.loads(answer.text, parse_float=Decimal) if answer.content else None

    def arm(self, kind: str, path: str, **more: Any) -> str:
        """Arms a fault; its id."""
        made: str = self.ask("POST", "/faults", {"kind": kind, "path": path, **more})["id"]
        return made

    def armed(self) -> list[Json]:
        found: list[Json] = self.ask("GET", "/faults")
        return found

    def disarm(self) -> None:
        self.ask("DELETE", "/faults")

    def calls(self, org: str, *, reset: bool = False) -> Counter[str]:
        """``"METHOD path template"`` → how often this firm's bridge called it, sign-ins left out."""
        counted: Counter[str] = Counter()
        for row in self.ask("GET", f"/calls{'?reset=true' if reset else ''}")["counts"]:
            if row["org"] == org and not row["path"].lower().endswith(SIGN_IN):
                counted[f"{row['method']} {row['path']}"] += row["count"]
        return counted


@dataclass
class Office:
    """What the people of one firm do and see in one system."""

    simulator: Simulator
    firm_id: str

    def _path(self, path: str) -> str:
        return f"{self.simulator.home}/{self.firm_id}/{path}"

    def look(self, register: str) -> list[Json]:
        found: list[Json] = self.simulator.ask("GET", self._path(register))
        return found

    def one(self, register: str, **wanted: Any) -> Json:
        """The only record of a register with these members."""
        found = [row for row in self.look(register) if all(row.get(k) == v for k, v in wanted.items())]
        assert len(found) == 1, f"{len(found)} {register} with {wanted}"
        return found[0]

    def count(self, register: str, **wanted: Any) -> int:
        return sum(all(row.get(k) == v for k, v in wanted.items()) for row in self.look(register))

    def add(self, register: str, **members: Any) -> Json:
        made: Json = self.simulator.ask("POST", self._path(register), members)
        return made

    def change(self, register: str, key: str, /, **members: Any) -> Json:
        changed: Json = self.simulator.ask("PATCH", self._path(f"{register}/{key}"), members)
        return changed

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        return self.simulator.ask(method, self._path(path), body)

    def calls(self, *, reset: bool = False) -> Counter[str]:
        return self.simulator.calls(self.firm_id, reset=reset)

    def arm(self, kind: str, path: str, **more: Any) -> str:
        """A fault for this firm's calls only."""
        return self.simulator.arm(kind, path, org=self.firm_id, **more)


def hours(quantity: str = "10", price: str = "1250", *, vat: int = 25, **more: Any) -> Json:
    """An invoice row of consulting hours."""
    return {"code": "KONS", "description": "Konsultation", "quantity": quantity, "unitPrice": price, "vatRate": vat, "rowType": "Hours", "unit": "h", **more}  # fmt: skip


def book(quantity: str = "1", price: str = "340", *, vat: int = 6) -> Json:
    return {"code": "BOK", "description": "Kursbok", "quantity": quantity, "unitPrice": price, "vatRate": vat, "rowType": "ProjectFees", "unit": "st"}  # fmt: skip


def hotel(quantity: str = "2", price: str = "1400", *, vat: int = 12) -> Json:
    return {"code": "HOTELL", "description": "Hotell", "quantity": quantity, "unitPrice": price, "vatRate": vat, "rowType": "TravelExpenses", "unit": "st"}  # fmt: skip
