"""Products and projects that meet: typed in both systems since the last poll, spelt in another case, deleted, merged."""

from __future__ import annotations

import pytest

from domain.errors import Stop
from domain.model import Json
from domain.product import registers as products
from domain.product.steps import settle as settle_product
from domain.project import registers as projects
from domain.project.steps import settle as settle_project
from tests.fakes import World
from tests.fakes_registers import RegisterErp, put_erp, put_severa
from tests.fakes_registers import world as product_world
from tests.unit.domain.absences import said_once, said_twice
from tests.unit.domain.product_world import changed, item, product
from tests.unit.domain.product_world import linked as linked_product
from tests.unit.domain.product_world import settle_again as product_again
from tests.unit.domain.project_world import linked as linked_project
from tests.unit.domain.project_world import project, there
from tests.unit.domain.project_world import settled as project_settled
from tests.unit.domain.project_world import world as project_world

# ---------------------------------------------------------------- products


@pytest.mark.req("R-PRD-2")
@pytest.mark.parametrize("code", ["LIC", "lic"])
@pytest.mark.parametrize("polled", [True, False], ids=["polled", "typed since the last poll"])
def test_an_item_of_our_code_in_any_case_is_linked_and_not_made_again(code: str, *, polled: bool) -> None:
    made = product_world()
    put_severa(made, "products", product(code=code))
    made.erp.store("inventory", item(), code)  # the ERP's keys fold case
    if polled:
        put_erp(made, "inventory", code, item())

    product_again(made, f"p-{code}") if polled else _settle(made, "products", f"p-{code}")

    assert changed(made) == []
    link = made.books.link("product", severa_id=f"p-{code}")
    assert link is not None
    assert link.erp_number == "LIC"


def _settle(made: World, register: str, guid: str) -> None:
    delivery = made.delivery("product", severa=(register, guid))
    made.finish(delivery, settle_product(delivery))


@pytest.mark.schedule("S31")
@pytest.mark.req("R-PRD-2")
def test_a_product_typed_in_severa_since_the_last_poll_is_linked_and_not_made_again() -> None:
    made = product_world()
    put_erp(made, "inventory", "LIC", item())
    made.severa.store("products", product())
    delivery = made.delivery("product", erp=("inventory", str(item()["inventoryId"])))

    made.finish(delivery, settle_product(delivery))

    assert changed(made) == []
    assert made.books.link("product", severa_id="p-LIC") is not None


@pytest.mark.req("R-PRD-2")
@pytest.mark.parametrize("deleted", [True, False])
def test_an_item_of_a_record_that_was_deleted_is_not_called_taken(*, deleted: bool) -> None:
    made = product_world()
    linked_product(made)
    put_severa(made, "products", product(guid="p-new", name="Licence again"))
    if deleted:
        del made.severa.records["products"]["p-LIC"]
        del made.books.records["severa", "products", "p-LIC"]

    delivery = made.delivery("product", severa=("products", "p-new"))
    if deleted:
        delivery = said_once(made, settle_product, delivery)
    with pytest.raises(Stop) as stop:
        settle_product(delivery)

    assert stop.value.code == ("product.code_of_deleted" if deleted else "product.code_not_unique")


@pytest.mark.req("R-CUS-8")
def test_an_item_id_that_answers_with_another_item_is_not_believed() -> None:
    made = product_world()
    severa, erp = linked_product(made)
    other = put_erp(made, "inventory", "LIC2", item("LIC2", inventoryId=999))
    del made.erp.records["inventory"]["LIC"]
    assert isinstance(made.erp, RegisterErp)
    made.erp.became[str(erp["inventoryId"])] = "999"
    severa["name"] = "Licens"
    before = dict(other)

    with pytest.raises(Stop) as caught:
        product_again(made)

    assert caught.value.code in ("product.gone", "product.merged")
    assert made.erp.stored("inventory", "LIC2") == before


# ---------------------------------------------------------------- projects


@pytest.mark.schedule("S31")
@pytest.mark.req("R-PRJ-2")
def test_a_project_typed_in_the_erp_since_the_last_poll_is_linked_and_not_made_again() -> None:
    made = project_world()
    put_severa(made, "projects", project())
    made.erp.store("project", there(), "4711")

    effects = project_settled(made)

    assert [line.code for line in effects.log] == ["project.linked"]
    assert [call.method for call in made.calls if call.method == "create"] == []


@pytest.mark.req("R-PRJ-6")
@pytest.mark.parametrize("deleted", [True, False])
def test_a_project_that_was_deleted_is_not_asked_for_another_number(*, deleted: bool) -> None:
    made = project_world()
    linked_project(made)
    put_severa(made, "projects", project(guid="p2"))
    if deleted:
        del made.severa.records["projects"]["p1"]

    delivery = made.delivery("project", severa=("projects", "p2"))
    if deleted:
        delivery = said_once(made, settle_project, delivery)
    with pytest.raises(Stop) as caught:
        settle_project(delivery)

    assert caught.value.code == ("project.number_of_deleted" if deleted else "project.number_linked")


@pytest.mark.req("R-CUS-8")
def test_a_project_id_that_answers_with_another_project_is_not_believed() -> None:
    made = project_world()
    severa, _ = linked_project(made)
    other = put_erp(made, "project", "4712", there(internalID=900, projectID="4712"))
    del made.erp.records["project"]["4711"]
    assert isinstance(made.erp, RegisterErp)
    made.erp.became["812"] = "900"
    severa["name"] = "Another name"
    made.books.remember("severa", "projects", severa)
    before = dict(other)

    stop = said_twice(made, settle_project, made.delivery("project", severa=("projects", "p1")))
    assert stop.code in ("project.gone", "project.merged")
    assert made.erp.stored("project", "4712") == before


# ---------------------------------------------------------------- natural keys


@pytest.mark.schedule("S31")
@pytest.mark.parametrize(
    ("severa", "erp"),
    [
        ({"code": "kons-Å"}, {"inventoryNumber": " KONS-A\u030a"}),
        ({"code": "0012"}, {"inventoryNumber": "0012"}),
    ],
)
def test_both_directions_hold_a_product_by_one_key(severa: Json, erp: Json) -> None:
    assert products.natural_key(severa) == products.natural_key(erp) != ""
    assert products.natural_key({"code": None}) == ""


@pytest.mark.schedule("S31")
def test_both_directions_hold_a_project_by_one_key() -> None:
    assert projects.natural_key({"number": 42}) == projects.natural_key({"projectID": "0042"}) == "42"
    assert projects.natural_key({"projectID": "0"}) == "0"
    assert projects.natural_key({"number": None}) == ""
