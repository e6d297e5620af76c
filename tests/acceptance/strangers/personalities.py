"""The readings the bridge is played against: the strict one, and some that combine everything contrary."""

from __future__ import annotations

from acceptance.strangers.ways import ErpWays, Personality, SeveraWays

PERSONALITIES = (
    Personality("strict"),
    # Severa takes an object for the status and answers one object; the ERP says little of what it made.
    Personality(
        "terse",
        SeveraWays(
            status_path="object", patch_answer="object", post_array=True, next_token_header="nextpagetoken",
            page_cap=20, stamps="whole", leaves_nulls_out=True, scope_separator=",", scope_in_answer=False,
            multi_currency=False,
        ),
        ErpWays(
            location="http://other-host:8080/v1/{register}/{key}", etag=False, if_match="ignored", list_notes=False,
            list_projects=False, amount_on_hold=False, release="empty", fraction=7, metadata=False, page_cap=50,
            leaves_nulls_out=True, project_dimension=False, corporate_id=False,
        ),
    ),
    # Everything the other way: wrapped reads, queued releases, other spellings, everything in upper case.
    Personality(
        "contrary",
        SeveraWays(
            foreign_path="ignore", status_path="object", patch_answer="empty", stamps="offset", never_changed="same",
            cases_in_projects=True, statuses_reversed=True, floats=True, scope_separator=" ", upper_status_guids=True,
            organisation_currency=False, credit_sign=1, needs_client_id=False, row_limit="clamp", token_seconds=330,
        ),
        ErpWays(
            internal_location=True, create_status=204, if_match="required", wrapped_reads=True, release="queued",
            credit_note="Credit Note", fraction=0, zone="UTC", customer_number="{:010d}", page_cap=10,
            vat_register=False, terms_envelope=False, deleted_status=400, unknown_query="ignore", bare_message=False,
        ),
    ),
    # Little is said at all: no Location, payments seen only in one place, a small budget.
    Personality(
        "silent",
        SeveraWays(page_cap=7, stamps="whole"),
        ErpWays(
            location=None, release="background", payment_moves_document=False, vat_category_rates=False, hourly=60,
            token_seconds=70, list_notes=False,
        ),
    ),
    # Numbers cannot be carried over; that must be said, and never go wrong.
    Personality("numberless", SeveraWays(number_write="refused"), ErpWays(document_number="INV-{:06d}", release="no_content", payments=False)),
    Personality("deaf", SeveraWays(number_write="ignored"), ErpWays(payments=False, location="https://api.finance.visma.net/api/v1/{register}/{key}?x=1")),
)
