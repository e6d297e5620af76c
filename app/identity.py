"""A tenant is a pair of companies for life: one Severa organisation, one ERP company, neither of them twice.

Checked when a tenant's file is added, before it goes live, and at each sign-in of a person: another firm's credentials
under a known name would write into a stranger's ledger, and one pair under two names would book every invoice twice.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psycopg

from app.bootstrap import Bridge
from connectors.places import one_system
from db import identity, tenants
from db.identity import Pair
from db.tenant import TenantDb
from domain.errors import InputError
from domain.mapper import text
from domain.model import Json
from domain.text import organisation_number, same_organisation


class PairTaken(InputError):
    """One of the companies belongs to another tenant; ``tenant`` is its name."""

    def __init__(self, message: str, tenant: str) -> None:
        super().__init__(message)
        self.tenant = tenant


def pair_of(severa_url: str, severa: Json, erp_url: str, erp: Json | None, erp_tenant: str) -> Pair:
    """From ``organizationdetails``, the ERP's ``organization`` (None before anybody has signed in) and the tenant id; the
    addresses are the connections' ``base_url``."""
    number = text(severa, "vatNumber")
    theirs = erp or {}
    return Pair(
        _place(severa_url),
        text(severa, "guid").lower() or organisation_number(number) or None,
        number,
        text(severa, "name"),
        _place(erp_url),
        company_id(erp_tenant),
        text(theirs, "corporateId") or text(theirs, "vatRegistrationId"),
        text(theirs, "name"),
    )


def _place(url: str) -> str:
    """Host and port. Two of them may be one system: see ``connectors.places``."""
    return urlsplit(url).netloc.lower()


def company_id(erp_tenant: str) -> str:
    """A Visma.net tenant id as it is compared: people copy it in either case, and in braces."""
    return erp_tenant.strip().strip("{}").lower()


def refuse(bridge: Bridge, tenant_id: UUID, name: str, pair: Pair) -> None:
    """Raises InputError when the two companies are not one organisation (R-SET-4), when the tenant is another pair, or
    when another tenant has one of the companies (PairTaken)."""
    one_organisation(pair)
    with bridge.db.tenant(tenant_id) as db:
        kept = identity.get(db)
    if kept is not None:
        _same_pair(name, kept, pair)
    with bridge.db.dispatch() as db:
        others = identity.holders(db, tenant_id, pair)
    for other in others:
        theirs = replace(
            other,
            same_severa=other.same_severa and one_system(other.severa_place, pair.severa_place),
            same_erp=other.same_erp and one_system(other.erp_place, pair.erp_place),
        )
        if theirs.same_severa or theirs.same_erp:
            raise _taken(theirs, pair)


def keep(db: TenantDb, pair: Pair) -> None:
    """Keeps the pair. Raises InputError when another tenant was quicker."""
    try:
        if not identity.keep(db, pair):
            raise InputError("The tenant became another pair of companies just now: nothing was stored.")
    except psycopg.errors.UniqueViolation as error:
        raise InputError(
            f"{_begun(_severa(pair))} or {_erp(pair)} was added under another name just now: see 'severa-bridge tenant list'."
        ) from error


def check_stored(bridge: Bridge, tenant_id: UUID, name: str, erp: Json | None = None) -> None:
    """Reads which companies the stored connections lead to, refuses what ``refuse`` refuses, and keeps the pair.

    ``erp``: the ERP company where it was read already. Raises InputError, and what the sign-ins raise.
    """
    severa, visma_net = (_config(bridge, tenant_id, system) for system in ("severa", "visma_net"))
    found = pair_of(
        severa["base_url"],
        bridge.connections.severa(tenant_id).get("organizationdetails", ""),
        visma_net["base_url"],
        erp if erp is not None else bridge.connections.erp(tenant_id).check(),
        visma_net["tenant_id"],
    )
    refuse(bridge, tenant_id, name, found)
    with bridge.db.tenant(tenant_id) as db:
        keep(db, found)


def _config(bridge: Bridge, tenant_id: UUID, system: str) -> dict[str, Any]:
    with bridge.db.tenant(tenant_id) as db:
        stored = tenants.connection(db, "severa" if system == "severa" else "visma_net")
    if stored is None:
        raise InputError(f"The tenant has no connection to {system}: add its file again.")
    return dict(stored.config)


def one_organisation(pair: Pair) -> None:
    """Raises InputError when both organisation numbers are known and not the same (R-SET-4)."""
    ours, theirs = organisation_number(pair.severa_number), organisation_number(pair.erp_number)
    if ours and theirs and not same_organisation(pair.severa_number, pair.erp_number):
        raise InputError(
            f"The two companies are not the same: Severa has organisation number {ours} ({pair.severa_name}), "
            f"Visma.net ERP has {theirs} ({pair.erp_name}). Connect the company that belongs to this Severa organisation."
        )


def _same_pair(name: str, kept: Pair, pair: Pair) -> None:
    if kept.erp_tenant != pair.erp_tenant:
        raise InputError(
            f"Tenant '{name}' is {_erp(kept)} for life, and these credentials lead to {_erp(pair)}: "
            "add that company as a tenant of its own."
        )
    if kept.severa_organisation is None:
        # Added before pairs were kept: only the same organisation number on both sides proves it.
        if same_organisation(pair.severa_number, pair.erp_number or kept.erp_number):
            return
        if not pair.erp_number and not kept.erp_number:
            return
        raise InputError(
            f"Nothing shows that {_severa(pair)} belongs to tenant '{name}' ({_erp(kept)}): "
            "enter the organisation number in both systems."
        )
    if kept.severa_organisation != pair.severa_organisation:
        raise InputError(
            f"Tenant '{name}' is {_severa(kept)} for life, and these credentials lead to {_severa(pair)}: "
            "add that organisation as a tenant of its own."
        )


def _taken(other: identity.Holder, pair: Pair) -> PairTaken:
    both = other.same_severa and other.same_erp
    what = (
        f"{_severa(pair)} and {_erp(pair)} are"
        if both
        else f"{_severa(pair)} is"
        if other.same_severa
        else f"{_erp(pair)} is"
    )
    return PairTaken(
        f"{_begun(what)} tenant '{other.tenant}' already, and no company can be two tenants: "
        f"use the name '{other.tenant}', or the credentials of the company that is meant.",
        other.tenant,
    )


def _begun(words: str) -> str:
    return words[:1].upper() + words[1:]


def _severa(pair: Pair) -> str:
    called = " ".join(
        one for one in (pair.severa_name, f"({pair.severa_number})" if pair.severa_number else "") if one
    )
    return f"the Severa organisation {called or pair.severa_organisation or '–'}"


def _erp(pair: Pair) -> str:
    called = " ".join(
        one for one in (pair.erp_name, f"({pair.erp_number})" if pair.erp_number else "") if one
    )
    return f"the Visma.net company {called or pair.erp_tenant}"
