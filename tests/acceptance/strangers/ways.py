"""The choices that the vendors' documents leave open, as switches; the defaults are the strict reading."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class SeveraWays:
    """How this Severa reads its document."""

    status_path: Literal["guid", "object", "both"] = "guid"
    foreign_path: Literal["refuse", "ignore"] = "refuse"
    """What becomes of a PATCH path that the input model does not have."""
    patch_answer: Literal["array", "object", "empty"] = "array"
    post_array: bool = False
    next_token_header: str = "NextPageToken"
    page_cap: int = 100
    """Most rows of a page, whatever was asked for."""
    row_limit: Literal["refuse", "clamp"] = "refuse"
    stamps: Literal["z", "offset", "whole"] = "z"
    never_changed: Literal["null", "same"] = "null"
    """lastUpdatedDateTime of what was never changed."""
    cases_in_projects: bool = False
    statuses_reversed: bool = False
    floats: bool = False
    multi_currency: bool = True
    leaves_nulls_out: bool = False
    scope_in_answer: bool = True
    scope_separator: Literal[",", " ", "any"] = "any"
    upper_status_guids: bool = False
    organisation_currency: bool = True
    credit_sign: Literal[-1, 1] = -1
    number_write: Literal["taken", "refused", "ignored"] = "taken"
    numbers_itself: bool = True
    """Entering a status with a number gives Severa's own, unless the invoice has one."""
    token_seconds: int = 3600
    needs_client_id: bool = True
    per_second: int = 10
    reference_kept: bool = True
    """False: a written payment reference is ignored in silence."""


@dataclass(frozen=True, slots=True)
class ErpWays:
    """How this Visma.net ERP reads its document."""

    location: str | None = "https://api.finance.visma.net/v1/{register}/{key}"
    """None: a create's answer has no Location."""
    internal_location: bool = False
    lower_case: bool = False
    """The Location's path in small letters."""
    create_status: Literal[200, 201, 204] = 201
    etag: bool = True
    if_match: Literal["required", "honoured", "ignored"] = "honoured"
    wrapped_reads: bool = False
    list_notes: bool = True
    list_projects: bool = True
    amount_on_hold: bool = True
    release: Literal["done", "empty", "no_content", "background", "queued"] = "done"
    budget: int = 10_000
    """Calls of one window."""
    credit_note: str = "CreditNote"
    fraction: int = 3
    zone: str = "Europe/Stockholm"
    document_number: str = "{:06d}"
    customer_number: str = "{}"
    page_cap: int = 1000
    metadata: bool = True
    vat_register: bool = True
    """False: /v1/vat knows no rates; they stand in the lines of /v1/vatCategory only."""
    vat_category_rates: bool = True
    project_dimension: bool = True
    terms_envelope: bool = True
    corporate_id: bool = True
    payments: bool = True
    payment_moves_document: bool = True
    deleted_status: Literal[404, 400] = 404
    token_seconds: int = 3600
    leaves_nulls_out: bool = False
    unknown_query: Literal["refuse", "ignore"] = "refuse"
    bare_message: bool = True
    """Errors as {"message": …}; False: {"ExceptionMessage": …}."""


@dataclass(frozen=True, slots=True)
class Personality:
    """A pair of servers with a name."""

    name: str
    severa: SeveraWays = field(default_factory=SeveraWays)
    erp: ErpWays = field(default_factory=ErpWays)
