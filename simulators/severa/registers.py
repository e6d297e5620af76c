"""Registers: records by guid in order of creation, found again by index and by time of change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class Record:
    """One record: `data` holds the fields by name, references as guids; `seq` is its place in its register."""

    guid: str
    seq: int
    data: dict[str, Any]
    created: datetime
    updated: datetime | None = None
    created_by: str | None = None
    updated_by: str | None = None

    @property
    def changed(self) -> datetime:
        """The later of creation and last change: what changedSince looks at."""
        return self.updated or self.created


@dataclass
class Register:
    """Records of one kind. `index` names the data fields that records are looked up by."""

    name: str
    index: tuple[str, ...] = ()
    records: dict[str, Record] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._next = 1
        # Guids in order of change, the latest last: changedSince then reads from the end and stops early.
        self._by_change: dict[str, None] = {}
        self._indexes: dict[str, dict[Any, dict[str, Record]]] = {name: {} for name in self.index}

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records.values())

    def get(self, guid: Any) -> Record | None:
        """Give a record by guid."""
        return self.records.get(guid)

    def insert(self, guid: str, data: dict[str, Any], now: datetime, by: str | None = None) -> Record:
        """Add a record."""
        record = Record(guid, self._next, data, now, created_by=by)
        self._next += 1
        self.records[guid] = record
        self._by_change[guid] = None
        self._index(record)
        return record

    def change(self, record: Record, data: dict[str, Any], now: datetime, by: str | None = None) -> None:
        """Put new data into a record and move its time of change."""
        self._unindex(record)
        record.data = data
        record.updated = now
        record.updated_by = by
        self._by_change.pop(record.guid, None)
        self._by_change[record.guid] = None
        self._index(record)

    def delete(self, guid: str) -> Record | None:
        """Take a record out for good."""
        record = self.records.pop(guid, None)
        if record is not None:
            self._by_change.pop(guid, None)
            self._unindex(record)
        return record

    def find(self, name: str, value: Any) -> list[Record]:
        """Give the records whose field has the value, in order of creation."""
        if name in self._indexes:
            return sorted(self._indexes[name].get(value, {}).values(), key=_place)
        return [record for record in self if record.data.get(name) == value]

    def since(self, when: datetime) -> list[Record]:
        """Give the records created or changed at or after `when`, in order of creation."""
        found = []
        for guid in reversed(self._by_change):
            record = self.records[guid]
            if record.changed < when:
                break
            found.append(record)
        found.sort(key=_place)
        return found

    def _keys(self, record: Record, name: str) -> Iterable[Any]:
        value = record.data.get(name)
        return value if isinstance(value, list) else (value,)

    def _index(self, record: Record) -> None:
        for name, index in self._indexes.items():
            for value in self._keys(record, name):
                index.setdefault(value, {})[record.guid] = record

    def _unindex(self, record: Record) -> None:
        for name, index in self._indexes.items():
            for value in self._keys(record, name):
                index.get(value, {}).pop(record.guid, None)


def _place(record: Record) -> int:
    return record.seq
