"""What tells customers from the other registers that are kept on both sides: a lost one's heir is known by its organisation."""

from __future__ import annotations

from domain.customer import heirs
from domain.customer.registers import ERP_CUSTOMER
from domain.mapper import text
from domain.mirror import Mirror

MIRROR = Mirror("customer", ERP_CUSTOMER, identify=lambda body: text(body, "internalId"), gone=heirs.gone)
