"""The switches of the Severa simulator: what the vendor's documents leave open, and what a test wants to differ."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Switches:
    """Read and changed at `/_sim/settings`; one organisation may differ (`/_sim/orgs/{client_id}/switches`).

    Every default is the reading that the public record makes likeliest; the other values are the other readings.
    """

    calls_per_second: int | None = 10
    """Per client id; None switches the limiter off."""
    retry_after: bool = False
    """Whether a 429 carries `Retry-After: 1`."""
    partial_scopes: bool = False
    """Whether a token is given for the allowed part of the scopes asked for, instead of a 401."""
    strict_client_id: bool = False
    """Whether the header Client_Id must be there and agree with the token."""
    token_seconds: int = 3600
    refresh_token_seconds: int = 7200
    maximum_rows: int = 100
    refuse_large_row_count: bool = False
    """Whether a rowCount above the maximum is a 400 instead of being lowered."""
    vat_per_row: bool = False
    """Whether VAT is rounded row by row instead of once per rate."""
    row_price_in_base_currency: bool = False
    """Whether a row's unit price stands in the organisation's currency, the invoice's in multiCurrencyInfo."""
    number_write: str = "accepted"
    """What a PATCH of an invoice's number does: accepted, refused (400), ignored (200 and unchanged)."""
    projects_include_sales_cases: bool = True
    """Whether GET /projects also gives sales cases in progress."""
    official_integration: bool = False
    """Whether the vendor's own integration's add-on is on (companyinformation answers instead of 403)."""
