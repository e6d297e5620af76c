"""Links: pairs of records that are the same thing, and the one ERP document that may be released for an invoice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from db.codec import jsonb
from db.pool import Connection
from db.sql import SQL
from domain.ports import Domain, Link, LinkUpdate

# Payments are settled on the invoice's link; they have no links of their own.
LINK_DOMAIN: Mapping[str, str] = {"payment": "invoice"}


def link_domain(domain: str) -> str:
    """The domain whose links a domain settles on."""
    return LINK_DOMAIN.get(domain, domain)


def _link(row: Mapping[str, Any] | None) -> Link | None:
    if row is None:
        return None
    document = (row["document_type"], row["document_number"]) if row["document_number"] else None
    return Link(
        str(row["id"]),
        row["domain"],
        row["severa_register"],
        row["severa_id"],
        row["severa_number"],
        row["erp_register"],
        row["erp_id"],
        row["erp_number"],
        row["base"],
        document,
        row["state"],
    )


def find(
    db: Connection,
    tenant_id: UUID,
    domain: str,
    *,
    severa_id: str | None = None,
    erp_id: str | None = None,
    erp_number: str | None = None,
) -> Link | None:
    """The link in a domain by exactly one of the three."""
    values = {"tenant_id": tenant_id, "domain": link_domain(domain)}
    if severa_id is not None:
        return _link(db.execute(SQL["links.of_severa"], {**values, "severa_id": severa_id}).fetchone())
    if erp_id is not None:
        return _link(db.execute(SQL["links.of_erp"], {**values, "erp_id": erp_id}).fetchone())
    return _link(db.execute(SQL["links.of_number"], {**values, "erp_number": erp_number}).fetchone())


def get(db: Connection, tenant_id: UUID, link_id: str, *, lock: bool = False) -> Link | None:
    query = SQL["links.lock"] if lock else SQL["links.get"]
    return _link(db.execute(query, {"tenant_id": tenant_id, "id": UUID(link_id)}).fetchone())


def of_ids(
    db: Connection, tenant_id: UUID, domains: Iterable[str], ids: list[str]
) -> list[tuple[str, str, str, str]]:
    """(link id, domain, severa id, erp id) of every link that one of these ids belongs to."""
    rows = db.execute(SQL["links.of_ids"], {"tenant_id": tenant_id, "domains": list(domains), "ids": ids})
    return [(str(row["id"]), row["domain"], row["severa_id"], row["erp_id"]) for row in rows]


def put(db: Connection, tenant_id: UUID, domain: Domain, link: Link | None, update: LinkUpdate) -> str:
    """Makes or changes the link; its id."""
    values: dict[str, Any] = {
        "tenant_id": tenant_id,
        "domain": link_domain(domain),
        "severa_register": update.severa_register,
        "severa_id": update.severa_id,
        "severa_number": update.severa_number,
        "erp_register": update.erp_register,
        "erp_id": update.erp_id,
        "erp_number": update.erp_number,
        "base": None if update.base is None else jsonb(update.base),
        "state": None if update.state is None else jsonb(update.state),
    }
    if link is not None:
        db.execute(SQL["links.change"], {**values, "id": UUID(link.id)})
        return link.id
    row = db.execute(SQL["links.put"], values).fetchone()
    if row is None:  # the statement always returns its row
        raise RuntimeError("the link was not written")
    return str(row["id"])


def claim_document(
    db: Connection, tenant_id: UUID, severa_id: str, erp_register: str, document: tuple[str, str]
) -> bool:
    """Commits the one document of this Severa invoice; False when another number is claimed already (R-INV-13)."""
    row = db.execute(
        SQL["links.claim_document"],
        {
            "tenant_id": tenant_id,
            "severa_id": severa_id,
            "erp_register": erp_register,
            "erp_id": "/".join(document),
            "document_type": document[0],
            "document_number": document[1],
        },
    ).fetchone()
    return row is not None


def drop_document(db: Connection, tenant_id: UUID, severa_id: str) -> None:
    db.execute(SQL["links.drop_document"], {"tenant_id": tenant_id, "severa_id": severa_id})


def choice(db: Connection, tenant_id: UUID, domain: str, system: str, record_id: str) -> str | None:
    """The class kept in the bridge for a record (R-CUS-6)."""
    row = db.execute(
        SQL["links.choice"],
        {"tenant_id": tenant_id, "domain": domain, "system": system, "record_id": record_id},
    ).fetchone()
    return row["value"] if row else None


def put_choice(db: Connection, tenant_id: UUID, domain: str, system: str, record_id: str, value: str) -> None:
    """Keeps what a person chose for a record: a class (R-CUS-6), or ``released`` for an invoice (R-INV-15)."""
    db.execute(
        SQL["links.put_choice"],
        {"tenant_id": tenant_id, "domain": domain, "system": system, "record_id": record_id, "value": value},
    )
