"""A reference register that is validly empty: set-up that a small company never made, or took away (rule 11).

Work goes on without it, or one problem names what is missing; nothing waits for it without a word, and nothing breaks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

import pytest

from simulation.stage import Stage

Stages = Callable[..., AbstractContextManager[Stage]]

# Register → the problems of an approved invoice, a new customer, project and product while it is empty.
EMPTY: Mapping[tuple[str, str], list[str]] = {
    ("severa", "businessunits"): [],
    ("severa", "localization/countries"): ["customer.country_unknown"],
    ("severa", "communicationtypes"): [],
    ("severa", "currencies"): [],
    ("severa", "salesstatustypes"): [],
    ("severa", "invoicestatuses"): ["statuses.none"],
    ("erp", "customer/customerClass"): [],
    ("erp", "creditTerm"): [],
    ("erp", "inventory/itemClass"): [],
    ("erp", "dimension"): [],
    ("erp", "currency"): [],
    ("erp", "vat"): [],
    ("erp", "vatCategory"): [],
    ("erp", "organization"): [],
    ("erp", "branch"): [],
    ("erp", "financialPeriod"): [],
    ("erp", "account"): [],
    ("erp", "ledger"): [],
}
FORGET = """with gone as (delete from record where register = %s)
    update stream set complete_at = null, watermark = null, swept_at = null where register = %s returning 1"""


def emptied(body: bytes) -> bytes:
    """A list without its rows, in the shape that the vendor gives it."""
    found = json.loads(body)
    if isinstance(found, list):
        return b"[]"
    return json.dumps({**found, "totalCount": 0, "records": []}).encode()


def a_day(play: Stage) -> str:
    """What people do; the invoice."""
    address = {"addressline": "Kungsgatan 1", "postalCode": "111 43", "city": "Stockholm", "country": "SE"}
    play.firm.severa("POST", "customers", {"name": "Ny AB", "address": address, "paymentTerm": 30})
    old = next(one for one in play.firm.register("severa", "customers") if one["number"] == 10001)
    play.firm.severa("POST", "projects", {"name": "Nytt", "customer": old["guid"]})
    play.firm.severa(
        "POST",
        "products",
        {"name": "Ny vara", "code": "NY1", "unitPrice": {"amount": 10, "currencyCode": "SEK"}},
    )
    return play.approve()


@pytest.mark.parametrize(("system", "register"), EMPTY)
def test_work_goes_on_or_says_what_is_missing_and_goes_on_when_it_comes(
    stage: Stages, system: str, register: str
) -> None:
    told = EMPTY[system, register]
    with stage(few=False) as play:
        play.change(f"(?i)GET {system} .*/{register}$", emptied, times=None)
        play.play.theatre.store.look(FORGET, register, register)
        play.poll(seconds=600)
        guid = a_day(play)
        play.poll(seconds=1_200)
        play.play.outcomes.clear()
        play.run(3_600)
        assert len(play.play.outcomes) <= 4
        assert [one["code"] for one in play.problems()] == told
        assert play.firm.role(guid) == ("transfer" if register == "invoicestatuses" else "transferred")
        play.script.rules.clear()
        play.play.theatre.store.look(FORGET, register, register)
        play.poll(seconds=600)
        assert play.problems() == []
        assert play.firm.role(guid) == "transferred"
        play.end()
