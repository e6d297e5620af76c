"""A release is a word on what was shown (docs/never-twice.md rule 18): it carries the mark of it, one invoice or all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from click.testing import Result
from road import Json, Road, hours
from typer.testing import CliRunner

from app import reviewing, service
from app.bootstrap import Bridge
from app.cli import app
from app.cli import reviewing as commands
from domain.errors import InputError

HELD = "invoice.held_for_review"


@pytest.fixture
def road(new_firm: Callable[..., Road]) -> Road:
    made = new_firm()
    for kind in ("hold_invoices", "hold_credit_notes"):
        service.set_setting(made.installation.bridge, made.name, kind, "true")
    return made


def listed(road: Road) -> dict[str, Json]:
    """What a person is shown, by Severa's guid."""
    return {row["record_id"]: row for row in reviewing.held(road.installation.bridge, road.name)}


def project_of(road: Road, name: str) -> Json:
    made = road.add_project(road.add_customer(f"{name} AB"), name)
    road.settle()
    return made


def reprice(road: Road, guid: str, amount: str) -> None:
    """A person changes the price of the only row."""
    [row] = road.invoice(guid)["rows"]
    road.severa.change("invoicerows", row["guid"], unitPrice={"amount": amount, "currencyCode": "SEK"})
    road.settle()


def released(road: Road) -> list[str]:
    rows = road.sql(
        "select details from audit_log where tenant_id = %s and action = 'invoice.released'", road.tenant_id
    )
    return [row["details"]["invoice"] for row in rows]


@pytest.mark.schedule("S18")
@pytest.mark.req("R-INV-15")
@pytest.mark.parametrize("named", ["number", "guid"])
def test_what_was_edited_between_the_list_and_the_release_is_not_let_go(road: Road, named: str) -> None:
    bridge = road.installation.bridge
    guid = road.approve(project_of(road, "Omprissatt"), [hours("15", "1000")])
    road.settle()
    shown = listed(road)[guid]
    assert shown["values"]["total"] == {"amount": "18750.00", "currency": "SEK"}
    reprice(road, guid, "77360")
    wanted = str(shown["id"]) if named == "number" else guid
    with pytest.raises(InputError) as refused:
        reviewing.release(bridge, road.name, wanted, {shown["seen"]})
    assert refused.value.message == (
        f"Invoice {shown['id']} to Omprissatt AB for 1,450,500.00 SEK has changed since it was shown: "
        f"look again with 'severa-bridge review {road.name}', then let it go."
    )
    road.settle()
    assert (road.role(guid), road.documents(guid), released(road)) == ("transfer", [], [])
    assert road.codes() == [HELD]
    again = listed(road)[guid]
    assert reviewing.release(bridge, road.name, wanted, {again["seen"]}) == reviewing.LetGo(1)
    road.settle()
    assert (road.role(guid), released(road)) == ("transferred", [guid])


@pytest.mark.schedule("S18")
@pytest.mark.req("R-INV-15")
def test_a_release_without_the_mark_of_the_invoice_lets_nothing_go(road: Road) -> None:
    bridge = road.installation.bridge
    project = project_of(road, "Omärkt")
    guid, other = (road.approve(project, [hours("1", price)]) for price in ("1000", "1000"))
    road.settle()
    shown = listed(road)
    # Alike in everything that is booked: the mark of one is no word on the other.
    for seen in (set(), {""}, {shown[other]["seen"]}, {shown[guid]["values"]["seen"]}):
        with pytest.raises(InputError, match="was not shown: look again"):
            reviewing.release(bridge, road.name, guid, seen)
    assert released(road) == []


@pytest.mark.schedule("S18")
@pytest.mark.req("R-INV-15")
def test_all_is_those_that_were_shown_and_names_what_it_leaves_out(road: Road) -> None:
    bridge = road.installation.bridge
    project = project_of(road, "Alla")
    kept, edited, taken = (road.approve(project, [hours("1", price)]) for price in ("1000", "2000", "3000"))
    road.settle()
    shown = listed(road)
    marks = {row["seen"] for row in shown.values()}
    assert set(shown) == {kept, edited, taken}
    late = road.approve(project, [hours("1", "4000")])
    road.move(taken, "draft")
    reprice(road, edited, "9000")
    done = reviewing.release(bridge, road.name, "all", marks)
    assert done.count == 1
    assert done.missed == (
        f"Invoice {shown[edited]['id']} to Alla AB for 11,250.00 SEK has changed since it was shown",
        f"Invoice {shown[taken]['id']} does not wait for review any more",
    )
    assert done.new == (f"Invoice {listed(road)[late]['id']} to Alla AB for 5,000.00 SEK was not shown",)
    road.settle()
    assert released(road) == [kept]
    assert [road.role(one) for one in (kept, edited, late)] == ["transferred", "transfer", "transfer"]
    assert set(listed(road)) == {edited, late}


@pytest.mark.schedule("S18")
@pytest.mark.req("R-INV-15")
def test_a_credit_note_that_came_after_the_list_waits_and_one_that_was_shown_goes(road: Road) -> None:
    bridge = road.installation.bridge
    project = project_of(road, "Krediterad")
    guid = road.approve(project, [hours("1", "1000")])
    road.settle()
    reviewing.release(bridge, road.name, guid, {listed(road)[guid]["seen"]})
    road.settle()
    road.move(guid, "sent")
    before = {row["seen"] for row in listed(road).values()}
    note = road.severa.add("invoices", credit_of=guid)["guid"]
    road.settle()
    shown = listed(road)[note]
    assert reviewing.release(bridge, road.name, "all", before).count == 0
    road.settle()
    assert road.documents(note) == []
    assert reviewing.release(bridge, road.name, "all", {shown["seen"]}) == reviewing.LetGo(1)
    road.settle()
    assert road.role(note) == "transferred"


@pytest.fixture
def command(road: Road, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """``review NAME …`` on the bridge that is at work; ``input``: what the person types."""

    @contextmanager
    def at_work() -> Iterator[Bridge]:
        yield road.installation.bridge

    monkeypatch.setattr(commands, "short_bridge", at_work)

    def run(*args: str, **more: Any) -> Result:
        return CliRunner().invoke(app, ["review", road.name, *args], **more)

    return run


@pytest.mark.schedule("S18")
@pytest.mark.req("R-INV-15")
def test_the_command_shows_and_asks_where_no_mark_is_given(
    road: Road, command: Callable[..., Result]
) -> None:
    guid = road.approve(project_of(road, "Tillfrågad"), [hours("1", "1000")])
    road.settle()
    mark = listed(road)[guid]["seen"]
    assert json.loads(command("--json").stdout)[0]["seen"] == mark
    assert f"seen: {mark}" in command().stdout
    for answer in ("", "n\n"):
        refused = command("--release", "all", input=answer)
        assert (refused.exit_code, released(road)) == (1, [])
        assert "1 250,00 SEK" in refused.stdout
    gone = command("--release", guid, input="y\n")
    assert (gone.exit_code, released(road)) == (0, [guid]), gone.output


@pytest.mark.schedule("S18")
@pytest.mark.req("R-INV-15")
def test_what_is_edited_while_the_command_asks_is_not_let_go(
    road: Road, command: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    guid = road.approve(project_of(road, "Betänketid"), [hours("1", "1000")])
    road.settle()

    def thinks(*_: object, **__: object) -> bool:
        reprice(road, guid, "5000")
        return True

    monkeypatch.setattr("typer.confirm", thinks)
    done = command("--release", str(listed(road)[guid]["id"]))
    assert isinstance(done.exception, InputError)
    assert "6,250.00 SEK has changed since it was shown" in done.exception.message
    assert released(road) == []


@pytest.mark.schedule("S18")
@pytest.mark.req("R-INV-15")
def test_the_command_says_what_all_leaves_out_and_tells_a_script(
    road: Road, command: Callable[..., Result]
) -> None:
    project = project_of(road, "Utelämnad")
    kept, edited = (road.approve(project, [hours("1", price)]) for price in ("1000", "2000"))
    road.settle()
    marks = {guid: row["seen"] for guid, row in listed(road).items()}
    late = road.approve(project, [hours("1", "4000")])
    reprice(road, edited, "9000")
    numbers = {guid: row["id"] for guid, row in listed(road).items()}
    done = command("--release", "all", "--seen", f"{marks[kept]},{marks[edited]}", terminal_width=200)
    assert done.exit_code == 1
    told = " ".join(done.stdout.split())
    assert "1 invoice is let go." in told
    assert f"Left out: Invoice {numbers[edited]} to Utelämnad AB for 11,250.00 SEK has changed" in told
    assert f"Left out: Invoice {numbers[late]} to Utelämnad AB for 5,000.00 SEK was not shown." in told
    assert released(road) == [kept]
    again = command("--release", "all", "--seen", listed(road)[edited]["seen"])
    assert (again.exit_code, sorted(released(road))) == (0, sorted([kept, edited]))
    alone = command("--seen", marks[kept])
    assert isinstance(alone.exception, InputError)
