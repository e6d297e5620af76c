"""What the table keeps of a document that is removed, and removed again (docs/never-twice.md rule 6)."""

from __future__ import annotations

from uuid import UUID

import pytest
from factories import LEASE, announce, claimed

from db import claim
from db.pool import Database
from domain.model import Document


def test_a_document_that_is_removed_once_more_keeps_its_reason_and_the_end_of_its_round(
    db: Database, tenant: UUID
) -> None:
    announce(db, tenant)
    row = claimed(db, tenant)
    with db.tenant(tenant) as connection:
        assert claim.adopt(connection, row, Document("Invoice", "100001", "", "made"), lease=LEASE)
        for reason, surplus in (("invoice.withdrawn", False), ("invoice.doubled", True)):
            claim.drop(
                connection, row, "Invoice", "100001", reason, surplus=surplus, lease=LEASE, visibility=300
            )
        [document] = claim.documents(connection, row)
    assert (document.state, document.reason, document.surplus) == ("removed", "invoice.withdrawn", False)
    assert document.removals == 2
    assert document.gone_by is not None
    assert (document.gone_by - row.now).total_seconds() == pytest.approx(300, abs=60)
