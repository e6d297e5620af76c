"""Which pair of companies a tenant is, for life; unique over the installation."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from uuid import UUID

from db.sql import SQL
from db.tenant import DispatchDb, TenantDb


@dataclass(frozen=True, slots=True)
class Pair:
    """A Severa organisation and an ERP company.

    ``severa_organisation`` is Severa's guid, else its organisation number, None where neither is known yet;
    ``erp_tenant`` is Visma.net's tenant id in small letters; the places are host and port of either system. Numbers and names as the systems show them, '' where unknown.
    """

    severa_place: str
    severa_organisation: str | None
    severa_number: str
    severa_name: str
    erp_place: str
    erp_tenant: str
    erp_number: str = ""
    erp_name: str = ""


@dataclass(frozen=True, slots=True)
class Holder:
    """Another tenant with the id of one of the two, or of both, and the places where it reaches them."""

    tenant: str
    same_severa: bool
    same_erp: bool
    severa_place: str
    erp_place: str


def get(db: TenantDb) -> Pair | None:
    """The tenant's own."""
    row = db.execute(SQL["identity.get"]).fetchone()
    return Pair(**row) if row else None


def holders(db: DispatchDb, tenant_id: UUID, pair: Pair) -> list[Holder]:
    """All of them, the oldest tenant first."""
    rows = db.execute(
        SQL["identity.holders"],
        {
            "tenant_id": tenant_id,
            "severa_organisation": pair.severa_organisation,
            "erp_tenant": pair.erp_tenant,
        },
    ).fetchall()
    return [
        Holder(row["name"], row["same_severa"], row["same_erp"], row["severa_place"], row["erp_place"])
        for row in rows
    ]


def keep(db: TenantDb, pair: Pair) -> bool:
    """False, and nothing is written, when the tenant is another pair.

    Raises psycopg's UniqueViolation when another tenant has one of the two.
    """
    # Fetched, since statements travel together: the constraint has spoken when this returns.
    row = db.execute(SQL["identity.keep"], asdict(pair)).fetchone()
    return row is not None
