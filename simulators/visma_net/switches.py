"""The switches of the ERP simulator: what the vendor's documents leave open or let a company choose."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Switches:
    """Changed by ``PATCH /_sim/settings`` for every company, or for one company below
    ``/_sim/companies/{tenant_id}/settings``. Amounts and percents are texts, so that they stay exact."""

    # --- sign-in ---
    token_seconds: int = 3600
    refresh_tokens: str = "one-time"  # one-time | re-use
    refresh_grace_seconds: float = 0.0
    authorize_error: str = ""  # e.g. access_denied: the simulated user says no
    licence_status: int = 403
    user_is_api_user: bool = True  # False: interactive calls meet the licence error

    # --- transport ---
    rate_limit: int = 100_000
    rate_window_seconds: int = 3600
    concurrent_calls: int = 8  # 0 = no limit
    latency_seconds: float = 0.0
    background_seconds: float = 0.0  # how long a background job says Started
    background_keep_seconds: int = 86_400
    if_match_only_in_background: bool = False

    # --- shapes ---
    utc_times: bool = False
    default_page_size: int = 100
    max_page_size: int = 1000
    max_page_size_inventory: int = 5000
    notes_on_lists: bool = True
    visible_after_seconds: float = 0.0  # how long a new document is missing from lists
    visible_after_next: bool = False  # a new document is missing from lists until another one is made
    location_base: str = ""  # another scheme and host in Location than the one that was called
    location_internal_id: bool = False  # Location of a customer or project in the internal form

    # --- customer ledger ---
    vat_rounding: str = "document"  # document | line
    quantity_decimals: int | None = (
        None  # that the ledger keeps of a line's quantity; None: all that were sent
    )
    price_decimals: int | None = None
    shortened_counts: bool = False  # a line's amount is made of what is kept, not of what was sent
    whole_kronor: bool = False  # öresavrundning of documents in the base currency
    amount_empty_before_release: bool = False
    after_hold: str = "Balanced"  # Balanced | PendingPrint | PendingEmail | CreditHold
    release: str = "done"  # done | queued | failed | queued-then-failed
    release_queue_seconds: float | None = 0.2  # None: only when told to finish
    release_error: str = "The document cannot be released."
    payment_reference: str = "ocr"  # ocr | number | none
    exchange_rate_divides: bool = False
    refuse_project_of_other_customer: bool = False
    price_rule_discount_percent: str = ""  # taken off lines that are not marked manualDiscount
    manual_numbers: str = "refuse"  # refuse | ignore: a number sent where the series gives one
    post_receivables_to_ledger: bool = False  # a journal batch for each released invoice as well
