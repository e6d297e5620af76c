"""The readings the bridge is played against: the strict one, and some that combine everything contrary."""

from __future__ import annotations

from acceptance.strangers.ways import ErpWays, Personality, SeveraWays

STRICT = Personality("strict")

TERSE = Personality(
    "terse",
    SeveraWays(
        status_path="object",
        patch_answer="object",
        post_array=True,
        next_token_header="nextpagetoken",
        page_cap=7,
        stamps="whole",
        leaves_nulls_out=True,
        scope_separator=",",
        scope_in_answer=False,
        multi_currency=False,
    ),
    ErpWays(
        location=None,
        create_status=200,
        etag=False,
        if_match="ignored",
        list_notes=False,
        list_projects=False,
        amount_on_hold=False,
        release="background",
        payment_moves_document=False,
        fraction=7,
        metadata=False,
        page_cap=50,
        leaves_nulls_out=True,
        project_dimension=False,
        corporate_id=False,
        vat_category_rates=False,
    ),
)
"""Both say as little as they can: no Location, no ETag, no notes in lists, payments seen in one place only."""

CONTRARY = Personality(
    "contrary",
    SeveraWays(
        foreign_path="ignore",
        status_path="object",
        patch_answer="empty",
        stamps="offset",
        never_changed="same",
        page_cap=20,
        cases_in_projects=True,
        statuses_reversed=True,
        floats=True,
        scope_separator=" ",
        upper_status_guids=True,
        organisation_currency=False,
        credit_sign=1,
        needs_client_id=False,
        row_limit="clamp",
        token_seconds=20,
    ),
    ErpWays(
        location="http://other-host:8080/v1/{register}/{key}",
        lower_case=True,
        internal_location=True,
        create_status=204,
        if_match="required",
        wrapped_reads=True,
        release="queued",
        credit_note="Credit Note",
        fraction=0,
        zone="UTC",
        customer_number="{:010d}",
        page_cap=10,
        vat_register=False,
        terms_envelope=False,
        deleted_status=400,
        unknown_query="ignore",
        bare_message=False,
        token_seconds=20,
    ),
)
"""Everything the other way: paths ignored in silence, wrapped reads, queued releases, other spellings and zones."""

NUMBERLESS = Personality(
    "numberless",
    SeveraWays(number_write="refused"),
    ErpWays(document_number="INV-{:06d}", release="no_content", payments=False, if_match="required"),
)
"""Numbers that cannot be carried over: it must be said, and nothing may go wrong for it."""

DEAF = Personality(
    "deaf",
    SeveraWays(number_write="ignored", row_limit="clamp"),
    ErpWays(
        payments=False, release="empty", location="https://api.finance.visma.net/api/v1/{register}/{key}?x=1"
    ),
)
"""Numbers that are accepted and not kept."""

MEAN = Personality("mean", SeveraWays(page_cap=7), ErpWays(budget=30))
"""A budget of thirty calls: the bridge has to wait for the next window again and again."""

PLAYED = (STRICT, TERSE, CONTRARY, NUMBERLESS)
"""Those of the committed test; the others differ too little for its time."""
PERSONALITIES = (*PLAYED, DEAF, MEAN)
