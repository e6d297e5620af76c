"""A changed setting is a change: what was seen already is looked at again where its answer differs (rule 19)."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

import pytest
from integration.test_identity import file_of
from road import Json, Road, hours
from stage import wait_for

from app import naming, service
from domain.errors import InputError


@pytest.mark.schedule("S19")
def test_an_earlier_start_date_brings_what_was_left_alone(new_firm: Callable[..., Road]) -> None:
    road = new_firm(invoices_from="2026-12-01")
    customer = road.add_customer("Startdatum AB", vatNumber="SE556111444209")
    project = road.add_project(customer, "Före start")
    guid = road.approve(project, [hours("2", "1000")], date="2026-11-20")
    road.settle()
    assert road.role(guid) == "transfer"
    assert road.states("invoice") == []
    looked_at = service.set_setting(road.installation.bridge, road.name, "invoices_from", "2026-11-01")
    assert looked_at == 1
    road.settle()
    assert road.role(guid) == "transferred"


@pytest.mark.schedule("S19")
def test_a_setting_that_decides_nothing_has_nothing_looked_at_again(new_firm: Callable[..., Road]) -> None:
    road = new_firm()
    customer = road.add_customer("Oförändrat AB", vatNumber="SE556111444308")
    project = road.add_project(customer, "Redan bokat")
    guid = road.approve(project, [hours("2", "1000")])
    road.settle()
    assert road.role(guid) == "transferred"
    road.forget_calls()
    assert service.set_setting(road.installation.bridge, road.name, "project_task", "10") == 0
    road.settle()
    assert road.writes() == {}


@pytest.mark.schedule("S19")
def test_a_module_that_is_chosen_later_brings_the_journals_that_were_left_alone(
    new_firm: Callable[..., Road],
) -> None:
    road = new_firm(costs="cost")
    bridge = road.installation.bridge
    project = road.add_project(road.add_customer("Lagret AB", vatNumber="SE556111444605"), "Lageruttag")
    road.settle()
    line = {"account": "4600", "debit": "250", "project": str(project["number"]), "description": "Uttag"}
    road.erp.ask("POST", "journals", {"module": "IN", "date": "2026-11-20", "lines": [line]})
    road.settle()
    assert road.severa.look("projectfees") == []
    assert service.set_setting(bridge, road.name, "journal_modules", '["GL", "CA", "IN"]') == 1
    road.settle()
    [fee] = road.severa.look("projectfees")
    assert Decimal(str(fee["unitCost"]["amount"])) == 250
    # Nothing is decided otherwise by what is left out of the list again, or by how a cost is brought.
    assert service.set_setting(bridge, road.name, "journal_modules", '["GL", "IN"]') == 0
    assert service.set_setting(bridge, road.name, "costs", "cost-and-fee") == 0


def status(road: Road, role: str) -> str:
    """The guid of the status that has a role by Severa's order."""
    roles = next(
        org["roles"]
        for org in road.installation.severa.ask("GET", "/orgs")
        if org["client_id"] == road.severa.firm_id
    )
    return str(roles[role])


def two_to_transfer_from(road: Road) -> Json:
    """Gone live where drafts cannot be edited, so that *draft* may have the role *transfer*, too; a project to invoice."""
    road.severa.change("invoicestatuses", status(road, "draft"), isReadOnly=True)
    road.go_live()
    made = road.add_project(road.add_customer("Två vägar AB", vatNumber="SE556111444606"), "Två vägar")
    road.settle()
    return made


@pytest.mark.schedule("S19")
def test_a_role_that_is_given_to_another_status_has_its_invoices_looked_at(
    new_firm: Callable[..., Road],
) -> None:
    road = new_firm(live=False)
    guid = road.approve(two_to_transfer_from(road), [hours("2", "1000")], status="draft")
    road.settle()
    assert (road.role(guid), road.documents(guid)) == ("draft", [])
    roles = json.dumps({"transfer": status(road, "draft")})
    assert service.set_setting(road.installation.bridge, road.name, "status_roles", roles) == 1
    road.settle()
    assert road.role(guid) == "transferred"
    assert road.problems() == []


@pytest.mark.schedule("S19")
def test_a_status_that_is_ignored_no_more_has_its_invoices_looked_at(new_firm: Callable[..., Road]) -> None:
    road = new_firm(live=False)
    project = two_to_transfer_from(road)
    ignored = json.dumps([status(road, "transfer")])
    service.set_setting(road.installation.bridge, road.name, "ignored_statuses", ignored)
    guid = road.approve(project, [hours("2", "1000")])
    road.settle()
    assert (road.role(guid), road.documents(guid)) == ("transfer", [])
    assert service.set_setting(road.installation.bridge, road.name, "ignored_statuses", "[]") == 1
    road.settle()
    assert road.role(guid) == "transferred"
    assert road.problems() == []


@pytest.mark.schedule("S19")
def test_what_failed_under_the_old_value_is_tried_again(new_firm: Callable[..., Road]) -> None:
    road = new_firm()
    bridge = road.installation.bridge
    service.set_setting(bridge, road.name, "hold_invoices", "true")
    project = road.add_project(road.add_customer("Släppt AB", vatNumber="SE556111444705"), "Släppt")
    guid = road.approve(project, [hours("2", "1000")])
    road.settle()
    assert road.codes() == ["invoice.held_for_review"]
    assert service.set_setting(bridge, road.name, "hold_invoices", "false") == 1
    road.settle()
    assert (road.role(guid), road.codes()) == ("transferred", [])


@pytest.mark.schedule("S19")
def test_a_repaired_fallback_item_has_what_failed_for_it_looked_at(new_firm: Callable[..., Road]) -> None:
    road = new_firm(live=False)
    bridge = road.installation.bridge
    # Before the ERP's items were read nobody knows better.
    service.set_setting(bridge, road.name, "fallback_items", '{"Hours/25": "SAKNAS"}')
    road.go_live()
    project = road.add_project(road.add_customer("Utan kod AB", vatNumber="SE556111444804"), "Utan kod")
    guid = road.approve(project, [hours("2", "1000", code=None)])
    road.settle()
    assert (road.role(guid), road.codes()) == ("failed", ["invoice.fallback_unknown"])
    assert service.set_setting(bridge, road.name, "fallback_items", '{"Hours/25": "KONS"}') == 1
    road.settle()
    # Severa's failed status is a person's to leave (R-INV-12); the problem stands until they did.
    assert (road.role(guid), road.codes(), road.work()) == ("failed", ["invoice.fallback_unknown"], [])
    road.move(guid, "transfer")
    road.settle()
    assert (road.role(guid), road.codes()) == ("transferred", [])


def test_a_stored_setting_that_cannot_be_used_is_one_problem_and_stops_the_tenant_until_it_is_repaired(
    new_firm: Callable[..., Road],
) -> None:
    road = new_firm()
    customer = road.add_customer("Obrukbar AB", vatNumber="SE556111444407")
    project = road.add_project(customer, "Före rättelsen")
    guid = road.approve(project, [hours("2", "1000")])
    other = road.approve(project, [hours("3", "1000")])
    # As an earlier program stored it, before the setting had bounds.
    broken = "update setting set values = values || '{\"project_number_padding\": 1000}' where tenant_id = %s"
    road.sql(broken, road.tenant_id)
    road.sql(
        "insert into outbox (tenant_id, domain, matter_id, cause, system, register) "
        "select tenant_id, 'customer', id, 'changed', 'severa', 'customers' from matter "
        "where tenant_id = %s and domain = 'customer' and joined_into is null limit 3 on conflict do nothing",
        road.tenant_id,
    )
    road.ask()
    wait_for("the problem stands", lambda: road.codes() == ["setting.unusable"], seconds=30)
    wait_for(
        "the work was tried",
        lambda: bool(road.sql("select id from attempt where tenant_id = %s and outcome = 'later'", road.tenant_id)),
        seconds=30,
    )  # fmt: skip
    [problem] = road.problems()
    assert problem["values"]["setting"] == "project_number_padding"
    assert "1000" in problem["wrong"]
    assert road.codes() == ["setting.unusable"]
    assert (road.role(guid), road.role(other)) == ("transfer", "transfer")

    service.set_setting(road.installation.bridge, road.name, "project_number_padding", "0")
    road.settle()

    assert road.codes() == []
    assert (road.role(guid), road.role(other)) == ("transferred", "transferred")


def broken(road: Road) -> list[str]:
    """What the open problem names."""
    [problem] = road.problems()
    assert problem["code"] == "setting.unusable"
    found = [
        name for name in ("cost_multiplier_percent", "poll_interval_seconds") if name in problem["wrong"]
    ]
    return sorted(found)


@pytest.mark.parametrize("by", ["the command", "the file"])
def test_two_stored_settings_that_cannot_be_used_are_repaired_one_at_a_time(
    new_firm: Callable[..., Road], by: str
) -> None:
    road = new_firm()
    road.sql(
        "update setting set values = values ||"
        ' \'{"cost_multiplier_percent": "-7", "poll_interval_seconds": 99999999999}\' where tenant_id = %s',
        road.tenant_id,
    )
    road.ask()
    wait_for("both are named", lambda: road.codes() == ["setting.unusable"], seconds=30)
    assert broken(road) == ["cost_multiplier_percent", "poll_interval_seconds"]

    def repair(**settings: int) -> None:
        if by == "the command":
            for key, value in settings.items():
                service.set_setting(road.installation.bridge, road.name, key, str(value))
        else:
            service.add_tenant(road.installation.bridge, file_of(road, **settings))

    repair(cost_multiplier_percent=100)
    assert broken(road) == ["poll_interval_seconds"], "at once"
    repair(poll_interval_seconds=3600)
    road.settle()
    assert road.codes() == []


@pytest.mark.req("R-SET-7")
def test_a_class_that_the_erp_does_not_have_is_refused_with_those_there_are(
    new_firm: Callable[..., Road],
) -> None:
    """Before a register was read nothing is known of it: then the name is kept, and a warning says so."""
    road = new_firm(live=False)
    bridge, said = road.installation.bridge, list[str]()
    service.set_setting(bridge, road.name, "customer_class", "77", said.append)
    assert "Whether Visma.net ERP has '77' is not known yet" in said[0]
    assert len(said) == 1
    service.set_setting(bridge, road.name, "customer_class", "1")
    road.go_live()
    said.clear()
    for key, register in naming.NAMED.items():
        numbers = sorted(
            str(row["number"])
            for row in road.sql(
                "select number from record where tenant_id = %s and system = 'visma_net' and register = %s and gone_at is null",
                road.tenant_id,
                register,
            )
        )
        assert numbers, register
        form = {
            "credit_terms": '{"30": "%s"}',
            "fallback_items": '{"Hours/25": "%s"}',
            "fallback_vat_categories": '{"25": "%s"}',
        }.get(key, "%s")
        with pytest.raises(
            InputError, match=f"'{key}' cannot be 'NO-SUCH': Visma.net ERP does not have it"
        ) as caught:
            service.set_setting(bridge, road.name, key, form % "NO-SUCH", said.append)
        assert all(number in caught.value.message for number in numbers[:30])
        service.set_setting(bridge, road.name, key, form % numbers[0].lower(), said.append)
    assert said == []
