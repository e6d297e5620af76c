"""What the catalogue says of a register of Visma.net ERP, and the query names that many of them share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Paging = Literal["pages", "lines", "envelope", "whole"]
"""pages: pageNumber/pageSize, an array with metadata on each row · lines: the same, but the numbers count lines and
a batch may be split over two pages · envelope: pageNumber/pageSize, {totalCount, records} · whole: no paging parameters."""

Checkable = Mapping[str, tuple[str, ...]]
"""Filter → members of a row that show it (any of them)."""

PAGE_SIZE = 500

CHANGED = ("lastModifiedDateTime", "lastModifiedDateTimeCondition")
CREATED = ("createdDateTime", "createdDateTimeCondition")

PAIRED = frozenset(
    {
        "lastModifiedDateTime",
        "createdDateTime",
        "documentDate",
        "documentDueDate",
        "docDate",
        "dueDate",
        "dunningLetterDateTime",
        "availabilityLastModifiedDateTime",
        "attachmentLastModifiedDateTime",
        "balance",
    }
)
"""Filters that the server ignores without a complaint unless their ``…Condition`` comes with them."""

DATE_ONLY = frozenset(
    {"documentDate", "documentDueDate", "docDate", "dueDate", "startDate", "date", "fromDate", "toDate"}
)
"""Filters on a day, not on a moment."""


@dataclass(frozen=True, slots=True)
class Register:
    """One register of the ERP.

    name        what callers say; the vendor's path segment
    listing     path of the list, '' if there is none
    item        path of one record with ``{key}``, '' if there is none
    typed_item  path of one record of another type, with ``{type}`` and ``{key}``; the caller's key is 'type/number'
    creating    path of POST, '' if the bridge never creates here; ``{key}`` = the internal id of its parent
    changing    PUT on ``item`` exists
    removing    DELETE on ``item`` exists
    if_match    PUT takes If-Match
    attaching   path of the header attachment with ``{key}``
    actions     action → path with ``{key}``
    paging      how the list is paged; ``page_size`` rows (or lines) are asked for
    changed     the filter that asks for changes, None = the register is read whole; ``changed_paired`` = with Condition
    filters     query names of the list that a caller may use
    checks      filter → members of a row that show it (any of them); times show themselves
    identity    members that together identify a row, first complete group wins
    number      member of a record that is its key in ``item``
    shows       members of which a record without a key of its own has at least one (a note)
    words       the list is a list of words, not of objects
    always      query parameters that every list read sends
    whole       query parameters that a read without ``changed_since`` sends
    scope       scope needed to read (writing needs create, update or delete by verb)
    """

    name: str
    listing: str = ""
    item: str = ""
    typed_item: str = ""
    creating: str = ""
    changing: bool = False
    removing: bool = False
    if_match: bool = False
    attaching: str = ""
    actions: Mapping[str, str] = field(default_factory=dict)
    paging: Paging = "whole"
    page_size: int = PAGE_SIZE
    changed: str | None = None
    changed_paired: bool = True
    filters: tuple[str, ...] = ()
    checks: Checkable = field(default_factory=dict)
    identity: tuple[tuple[str, ...], ...] = ()
    number: str = ""
    shows: tuple[str, ...] = ()
    words: bool = False
    always: Mapping[str, str] = field(default_factory=dict)
    whole: Mapping[str, str] = field(default_factory=dict)
    scope: str = "read"

    @property
    def is_record(self) -> bool:
        """Whether ``item`` answers a record that can be told from others; bytes and background content are none."""
        return bool(self.item and (self.number or self.shows))
