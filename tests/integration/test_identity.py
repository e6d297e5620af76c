"""A tenant is a pair of companies for life (R-SET-4): kept, unique, and checked wherever credentials come in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from road import Road, hours
from test_signing_in import BACK, interactive, put_off, signed_in_at, stands_still

from app import service, signing_in
from app.identity import PairTaken, check_stored, company_id, refuse
from db import identity, tenants
from domain.errors import InputError
from domain.setup.settings import TenantFile, read_tenant_file

NewFirm = Callable[..., Road]


def file_of(road: Road, *, name: str | None = None, severa: Road | None = None, erp: Road | None = None, **settings: Any) -> TenantFile:  # fmt: skip
    """The firm's file; ``severa`` and ``erp``: with the credentials of other firms."""
    left, right = (severa or road).firm, (erp or road).firm
    return read_tenant_file(
        {
            "name": name or road.name,
            "severa": {
                "base_url": f"{road.installation.severa.url}/rest-api",
                "client_id": left.severa_client_id,
                "client_secret": left.severa_client_secret,
            },
            "visma_net": {
                "base_url": road.installation.erp.url,
                "auth_url": f"{road.installation.erp.url}/connect",
                "client_id": right.erp_client_id,
                "client_secret": right.erp_client_secret,
                "tenant_id": right.erp_tenant_id,
            },
            **({"settings": settings} if settings else {}),
        }
    )


def state_of(road: Road) -> dict[str, Any]:
    """Everything that a refused file must leave as it was."""
    return {
        "connections": road.sql("select system, config, secret, token from connection where tenant_id = %s order by system", road.tenant_id),
        "settings": road.sql("select version, values from setting where tenant_id = %s order by version", road.tenant_id),
        "tenant": road.sql("select name, language, time_zone, state from tenant where id = %s", road.tenant_id),
        "identity": road.sql("select severa_organisation, erp_tenant, erp_number from identity where tenant_id = %s", road.tenant_id),
    }  # fmt: skip


@pytest.mark.req("R-SET-4")
@pytest.mark.parametrize("which", ["both", "severa", "erp"])
def test_another_firms_credentials_under_a_known_name_are_refused_and_nothing_is_stored(
    new_firm: NewFirm, which: str
) -> None:
    road, other = new_firm(live=False), new_firm(live=False)
    before = state_of(road)
    file = file_of(
        road,
        severa=other if which in ("both", "severa") else None,
        erp=other if which in ("both", "erp") else None,
    )

    with pytest.raises(InputError) as caught:
        service.add_tenant(road.installation.bridge, file)

    assert state_of(road) == before
    if which == "both":
        assert f"Tenant '{road.name}' is the Visma.net company {road.firm.name}" in caught.value.message
        assert f"lead to the Visma.net company {other.firm.name}" in caught.value.message
    else:
        assert "not the same" in caught.value.message


@pytest.mark.req("R-SET-4")
def test_a_pair_of_companies_is_one_tenant_and_the_refusal_names_it(new_firm: NewFirm) -> None:
    road = new_firm(live=False)

    with pytest.raises(PairTaken) as caught:
        service.add_tenant(road.installation.bridge, file_of(road, name=f"{road.name}-again"))

    assert caught.value.tenant == road.name
    assert f"tenant '{road.name}' already" in caught.value.message
    assert road.sql("select count(*) as n from tenant where name = %s", f"{road.name}-again") == [{"n": 0}]


@pytest.mark.req("R-SET-4")
def test_a_person_who_signs_in_later_does_not_hide_whose_company_it_is(new_firm: NewFirm) -> None:
    road = new_firm(live=False)
    file = file_of(road, name=f"{road.name}-again")
    person = file.model_copy(update={"visma_net": file.visma_net.model_copy(update={"kind": "interactive"})})

    with pytest.raises(PairTaken, match=f"tenant '{road.name}' already"):
        service.add_tenant(road.installation.bridge, person)


def test_adding_a_file_again_changes_what_it_names_and_resets_nothing_else(new_firm: NewFirm) -> None:
    road = new_firm(live=True)
    bridge = road.installation.bridge
    service.set_setting(bridge, road.name, "customer_class", "2")
    road.sql("update tenant set language = 'en' where id = %s returning id", road.tenant_id)
    before = state_of(road)
    assert all(row["token"] for row in before["connections"])

    assert service.add_tenant(bridge, file_of(road)) is False
    assert state_of(road) == before

    assert service.add_tenant(bridge, file_of(road, project_task=10, costs="cost")) is False
    after = state_of(road)
    assert {**after, "settings": ()} == {**before, "settings": ()}
    latest = after["settings"][-1]["values"]
    assert latest == {**before["settings"][-1]["values"], "costs": "cost"}
    assert (latest["customer_class"], latest["poll_interval_seconds"]) == ("2", 3600)


@pytest.mark.schedule("S19")
def test_a_start_date_that_a_file_changes_brings_what_was_left_alone(new_firm: NewFirm) -> None:
    road = new_firm(live=True)
    bridge = road.installation.bridge
    service.add_tenant(bridge, file_of(road, invoices_from="2026-12-01"))
    customer = road.add_customer("Ur filen AB", vatNumber="SE556111444506")
    guid = road.approve(road.add_project(customer, "Före filen"), [hours("2", "1000")], date="2026-11-20")
    road.settle()
    assert (road.role(guid), road.states("invoice")) == ("transfer", [])

    service.add_tenant(bridge, file_of(road, invoices_from="2026-11-01"))
    road.settle()

    assert road.role(guid) == "transferred"


def test_a_token_goes_with_the_credentials_it_was_given_for(new_firm: NewFirm) -> None:
    road = new_firm(live=True)
    bridge = road.installation.bridge
    with bridge.db.tenant(road.tenant_id) as db:
        stored = tenants.connection(db, "severa")
        assert stored is not None
        tenants.put_connection(db, "severa", stored.config, bridge.secrets.seal("another"))

    service.add_tenant(bridge, file_of(road))

    with bridge.db.tenant(road.tenant_id) as db:
        severa = tenants.connection(db, "severa")
        erp = tenants.connection(db, "visma_net")
        assert severa is not None
        assert erp is not None
        assert tenants.token(db, "severa", severa.revision) == (None,)
        assert tenants.token(db, "visma_net", erp.revision) not in {None, (None,)}


@pytest.mark.req("R-SET-2", "R-SET-4")
@pytest.mark.parametrize("what", ["a corrected secret", "what the vendor has put right"])
def test_what_was_put_off_for_a_sign_in_goes_on_with_a_file_that_is_added_again(
    new_firm: NewFirm, what: str
) -> None:
    road = new_firm(live=False)
    bridge = road.installation.bridge
    if what == "a corrected secret":
        with bridge.db.tenant(road.tenant_id) as db:
            stored = tenants.connection(db, "severa")
            assert stored is not None
            tenants.put_connection(db, "severa", stored.config, bridge.secrets.seal("mistyped"))
    put_off(road)
    service.add_tenant(bridge, file_of(road))
    assert stands_still(road) == []


@pytest.mark.req("R-SET-2", "R-SET-4")
def test_a_sign_in_to_another_company_is_refused_and_stores_no_token(new_firm: NewFirm) -> None:
    road = interactive(new_firm(live=False))
    bridge = road.installation.bridge
    started = signing_in.begin(bridge, road.name, BACK)
    came_back = signed_in_at(started.url)
    road.sql("update identity set erp_tenant = %s, erp_name = 'Annan AB' where tenant_id = %s returning erp_tenant",
             f"other-{road.name}", road.tenant_id)  # fmt: skip

    with pytest.raises(InputError, match=f"Tenant '{road.name}' is the Visma.net company Annan AB"):
        signing_in.finish(bridge, road.name, started, came_back)

    with bridge.db.tenant(road.tenant_id) as db:
        [row] = db.execute("select token from connection where system = 'visma_net'").fetchall()
        assert row["token"] is None


@pytest.mark.req("R-SET-4", "R-SET-9")
def test_going_live_checks_the_pair_that_the_stored_credentials_lead_to(new_firm: NewFirm) -> None:
    road = new_firm(live=False)
    road.sql("update identity set severa_organisation = 'another' where tenant_id = %s returning erp_tenant", road.tenant_id)  # fmt: skip

    with pytest.raises(InputError, match=f"Tenant '{road.name}' is the Severa organisation"):
        road.go_live(settled=False)

    assert road.sql("select state from tenant where id = %s", road.tenant_id) == [{"state": "new"}]


@pytest.mark.req("R-SET-4")
def test_a_tenant_from_before_pairs_were_kept_learns_its_organisation(new_firm: NewFirm) -> None:
    road = new_firm(live=False)
    known = road.sql("select severa_organisation from identity where tenant_id = %s", road.tenant_id)
    road.sql("update identity set severa_organisation = null where tenant_id = %s returning erp_tenant", road.tenant_id)  # fmt: skip

    check_stored(road.installation.bridge, road.tenant_id, road.name)

    assert road.sql("select severa_organisation from identity where tenant_id = %s", road.tenant_id) == known


@pytest.mark.req("R-OPS-2")
def test_the_dispatcher_sees_whose_companies_they_are_and_no_secret(new_firm: NewFirm) -> None:
    road, other = new_firm(live=False), new_firm(live=False)
    db_of = road.installation.bridge.db
    with db_of.tenant(road.tenant_id) as db:
        pair = identity.get(db)
        assert pair is not None
        rows = db.execute("select erp_tenant from identity").fetchall()
        assert [row["erp_tenant"] for row in rows] == [pair.erp_tenant], "row-level security"
    with db_of.dispatch() as db:
        found = identity.holders(db, other.tenant_id, pair)
    assert found == [identity.Holder(road.name, True, True, pair.severa_place, pair.erp_place)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege), db_of.dispatch() as db:
        db.execute("select secret from connection").fetchall()
    with pytest.raises(psycopg.errors.UniqueViolation), db_of.tenant(other.tenant_id) as db:
        db.execute(
            "update identity set erp_place = %s, erp_tenant = %s where tenant_id = %s returning 1",
            (pair.erp_place, pair.erp_tenant, other.tenant_id),
        ).fetchone()  # fmt: skip


@pytest.mark.req("R-SET-4")
def test_a_pair_is_one_tenant_under_every_name_of_its_host_and_two_in_two_systems(new_firm: NewFirm) -> None:
    road, other = new_firm(live=False), new_firm(live=False)
    bridge = road.installation.bridge
    with bridge.db.tenant(road.tenant_id) as db:
        pair = identity.get(db)
    assert pair is not None

    def reached_by(host: str, port: str | None = None) -> identity.Pair:
        severa, erp = (
            f"{host}:{port or one.partition(':')[2]}" for one in (pair.severa_place, pair.erp_place)
        )
        return replace(pair, severa_place=severa, erp_place=erp)

    road.sql("delete from identity where tenant_id = %s returning 1 as one", other.tenant_id)
    for host in ("127.0.0.1", "localhost", "LocalHost.", "127.0.0.2", "nowhere.invalid"):
        with pytest.raises(PairTaken, match=f"tenant '{road.name}' already"):
            refuse(bridge, other.tenant_id, "again", reached_by(host))
    # A test environment may hold a copy of a company under the same id. It is another system.
    refuse(bridge, other.tenant_id, "copy", reached_by("127.0.0.1", port="9"))


@pytest.mark.parametrize("typed", ["11111111-AAAA", " 11111111-aaaa ", "{11111111-aaaa}"])
def test_a_tenant_id_is_the_same_however_it_was_copied(typed: str) -> None:
    assert company_id(typed) == "11111111-aaaa"
