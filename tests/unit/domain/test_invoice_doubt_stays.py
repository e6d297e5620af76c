"""A doubt is ended by proof or by a person's decision, never by a status that somebody sets (R-INV-12)."""

from __future__ import annotations

import pytest

from domain.errors import InDoubt
from tests.fakes_ledger import Firm
from tests.unit.domain.invoice_schedules import creates, foreign, status_of, to_status
from tests.unit.domain.test_invoice_phases import ends, unanswered


@pytest.mark.req("R-INV-12")
@pytest.mark.parametrize("through", ["s-failed", "s-draft"])
def test_a_status_that_is_set_back_and_forth_ends_no_doubt(through: str) -> None:
    firm = Firm()
    firm.invoice()
    delivery = unanswered(firm, after=False)
    foreign(firm, "90")
    firm.clock.forward(firm.settle_seconds)
    ends(firm, InDoubt, delivery)
    assert status_of(firm) == "s-transfer"
    for status in (through, "s-transfer"):
        to_status(firm, status)
        firm.clock.forward(firm.settle_seconds)
    ends(firm, InDoubt, delivery.again())
    assert (creates(firm), firm.erp.released, status_of(firm)) == (1, [], "s-transfer")
