"""Roles of invoice statuses: derived from order and flags alone."""

from __future__ import annotations

import re
from typing import Any

import pytest

from domain.errors import Stop
from domain.setup.statuses import autoinvoice_checks, autoinvoice_error, derive_roles
from domain.words import CAUSES


def status(name: str, order: int, flags: str = "", **more: Any) -> dict[str, Any]:
    """A row of invoicestatuses; flags: r read-only, n number, s sent, w waiting for payment, p paid, d default, c credit default."""
    words = {
        "r": "isReadOnly",
        "n": "hasInvoiceNumber",
        "s": "isSent",
        "w": "isWaitingPayment",
        "p": "isPaid",
        "d": "isDefault",
        "c": "isDefaultForCreditNote",
    }
    body: dict[str, Any] = {"guid": f"g-{name}", "name": name, "sortOrder": order, "isActive": True}
    return body | {word: letter in flags for letter, word in words.items()} | more


def approval() -> list[dict[str, Any]]:
    return [
        status("Misslyckade fakturor", 1),
        status("Utkast", 2, "d"),
        status("Väntar på godkännande", 3),
        status("Godkänd, klar för Visma.net ERP", 4, "rc"),
        status("I Visma.net ERP, skicka till kund", 5, "rns"),
        status("Skickad", 6, "rns"),
        status("Delbetald", 7, "rns"),
        status("Betalad", 8, "rnsp"),
    ]


def without_approval() -> list[dict[str, Any]]:
    return [
        status("Misslyckade fakturor", 1),
        status("Utkast", 2, "d"),
        status("Skicka till Visma.net ERP", 3, "rc"),
        status("I Visma.net ERP, skicka till kund", 4, "rns"),
        status("Skickad", 5, "rns"),
        status("Delbetald", 6, "rns"),
        status("Betalad", 7, "rnsp"),
    ]


@pytest.mark.req("R-STA-1", "R-STA-2")
@pytest.mark.parametrize(
    ("rows", "transfer"),
    [(approval(), "Godkänd, klar för Visma.net ERP"), (without_approval(), "Skicka till Visma.net ERP")],
)
def test_the_examples_of_the_guide_are_recognised_in_any_order_of_rows(
    rows: list[dict[str, Any]], transfer: str
) -> None:
    roles = derive_roles(reversed(rows))
    assert [roles.failed.name, roles.transfer.name] == ["Misslyckade fakturor", transfer]
    assert roles.transferred.name == "I Visma.net ERP, skicka till kund"
    assert [roles.sent.name, roles.paid.name] == ["Skickad", "Betalad"]
    assert roles.partly_paid is not None
    assert roles.partly_paid.name == "Delbetald"
    # The guide's tables have no column 'waiting for payment': that is a warning, not a rule that breaks.
    assert {line.code for line in roles.warnings} == {"statuses.not_waiting_payment"}


@pytest.mark.req("R-STA-1")
def test_a_set_up_without_a_partly_paid_status_has_no_such_role() -> None:
    roles = derive_roles([row for row in approval() if row["name"] != "Delbetald"])
    assert roles.partly_paid is None
    assert roles.role_of("g-Delbetald") is None
    assert roles.role_of("g-Betalad") == "paid"


def test_inactive_statuses_do_not_count() -> None:
    rows = [status("Gammal", 0, "n", isActive=False), *approval()]
    assert derive_roles(rows).failed.name == "Misslyckade fakturor"


def test_a_null_flag_counts_as_not_set() -> None:
    rows = approval()
    rows[0]["isDefault"] = None
    del rows[0]["isPaid"]
    assert derive_roles(rows).failed.name == "Misslyckade fakturor"


@pytest.mark.req("R-STA-1")
def test_autoinvoices_error_status_may_be_left_out() -> None:
    rows = [*approval(), status("Fel i AutoInvoice", 5)]
    with pytest.raises(Stop) as stop:
        derive_roles(rows)
    assert stop.value.code == "statuses.number_missing"
    assert stop.value.values["status"] == "Fel i AutoInvoice"
    roles = derive_roles(rows, ignored={"g-Fel i AutoInvoice"})
    assert roles.sent.name == "Skickad"
    assert roles.position("g-Fel i AutoInvoice") is None


def test_roles_may_be_set_by_hand() -> None:
    rows = [*approval()[:6], status("Påmind", 7, "rns"), *[dict(row, sortOrder=9) for row in approval()[6:]]]
    assert derive_roles(rows, overrides={"sent": "g-Påmind"}).sent.name == "Påmind"


def test_a_status_of_the_tenants_own_between_sent_and_paid_stands_for_sent() -> None:
    rows = [*approval(), status("Påmind", 6, "rns")]
    roles = derive_roles(rows)
    assert roles.role_of("g-Påmind") is None
    assert roles.standing("g-Påmind") == "sent"
    assert roles.standing("g-Utkast") is None


def change(name: str, **changes: Any) -> list[dict[str, Any]]:
    return [row | changes if row["name"] == name else row for row in approval()]


@pytest.mark.req("R-STA-2")
@pytest.mark.parametrize(
    ("rows", "code", "named"),
    [
        ([], "statuses.none", ""),
        (
            change("Misslyckade fakturor", isDefault=True),
            "statuses.failed_is_default",
            "Misslyckade fakturor",
        ),
        (
            change("Godkänd, klar för Visma.net ERP", isReadOnly=False),
            "statuses.transfer_editable",
            "Godkänd, klar för Visma.net ERP",
        ),
        (change("Skickad", hasInvoiceNumber=False), "statuses.number_missing", "Skickad"),
        (change("Delbetald", isSent=False), "statuses.partly_paid_not_sent", "Delbetald"),
        (change("Betalad", isPaid=False), "statuses.no_paid", "Betalad"),
        ([row | {"hasInvoiceNumber": False} for row in approval()], "statuses.no_number", "Betalad"),
        (change("Utkast", hasInvoiceNumber=True), "statuses.no_transfer", "Utkast"),
        (change("Skickad", isPaid=True), "statuses.no_sent", "Skickad"),
    ],
)
def test_a_set_up_that_breaks_a_rule_is_named(rows: list[dict[str, Any]], code: str, named: str) -> None:
    with pytest.raises(Stop) as stop:
        derive_roles(rows)
    assert stop.value.code == code
    for language in ("sv", "en"):
        cause = CAUSES[code]
        assert named in cause.wrong.fill(language, stop.value.values)
        assert "–" not in cause.wrong.fill(language, stop.value.values)
        assert cause.do.fill(language, stop.value.values)


@pytest.mark.req("R-STA-3")
def test_credit_notes_that_do_not_start_in_the_transfer_status_are_warned_about() -> None:
    rows = change("Godkänd, klar för Visma.net ERP", isDefaultForCreditNote=False)
    warnings = derive_roles(rows, severa_numbers_credit_notes=True).warnings
    assert {"statuses.credit_note_default", "statuses.severa_numbers_credit_notes"} <= {
        w.code for w in warnings
    }


@pytest.mark.req("R-STA-2")
def test_a_number_before_the_transfer_is_named_where_roles_are_set_by_hand() -> None:
    rows = change("Väntar på godkännande", hasInvoiceNumber=True)
    hand = {
        "transfer": "g-Godkänd, klar för Visma.net ERP",
        "transferred": "g-I Visma.net ERP, skicka till kund",
    }
    with pytest.raises(Stop) as stop:
        derive_roles(rows, overrides=hand)  # type: ignore[arg-type]  # the keys are roles
    assert (stop.value.code, stop.value.values["status"]) == (
        "statuses.number_too_early",
        "Väntar på godkännande",
    )


@pytest.mark.req("R-STA-1")
def test_sent_and_partly_paid_should_wait_for_payment_or_severa_cannot_credit() -> None:
    waiting = [row | {"isWaitingPayment": row["name"] in ("Skickad", "Delbetald")} for row in approval()]
    assert derive_roles(waiting).warnings == ()
    rows = [row | {"isWaitingPayment": row["name"] == "Skickad"} for row in approval()]
    assert [(w.code, w.values["status"]) for w in derive_roles(rows).warnings] == [
        ("statuses.not_waiting_payment", "Delbetald")
    ]


@pytest.mark.req("R-STA-1")
@pytest.mark.parametrize("gone", [("Delbetald",), ("Delbetald", "Skickad")])
def test_partly_paid_is_never_sent_or_transferred(gone: tuple[str, ...]) -> None:
    rows = [row for row in approval() if row["name"] not in gone]
    if "Skickad" in gone:
        with pytest.raises(Stop) as stop:
            derive_roles(rows)
        assert stop.value.code == "statuses.no_sent"
    else:
        assert derive_roles(rows).partly_paid is None


@pytest.mark.req("R-STA-4")
def test_the_check_list_for_autoinvoice_names_the_tenants_own_statuses() -> None:
    roles = derive_roles(approval())
    lines = [text.fill("sv", about) for text, about in autoinvoice_checks(roles)]
    assert "I Visma.net ERP, skicka till kund" in lines[0]
    assert "Skickad" in lines[1]
    assert "Misslyckade fakturor" in lines[2]
    assert "Godkänd, klar för Visma.net ERP" in lines[2]
    assert len(lines) == 6
    assert all("–" not in line for line in lines)
    assert all(text.sv != text.en for text, _ in autoinvoice_checks(roles))


@pytest.mark.req("R-STA-4")
def test_autoinvoices_error_status_is_none_before_transferred() -> None:
    roles = derive_roles(approval())
    refused = ("Misslyckade fakturor", "Utkast", "Väntar på godkännande", "Godkänd, klar för Visma.net ERP")
    assert not any(autoinvoice_error(roles, f"g-{name}") for name in refused)
    assert autoinvoice_error(roles, "g-Skickad")
    assert autoinvoice_error(roles, "g-Fel i AutoInvoice")


def by_hand(**roles: str) -> dict[Any, str]:
    """Roles by the names of their statuses."""
    return {role: f"g-{name}" for role, name in roles.items()}


def reminded() -> list[dict[str, Any]]:
    """With a reminder between *sent* and *partly paid*, and a draft that is not editable."""
    rows = [row | {"sortOrder": row["sortOrder"] * 10} for row in approval()]
    return [*rows, status("Påmind", 65, "rns"), status("Låst", 35, "r")]


@pytest.mark.req("R-STA-1", "R-STA-2")
@pytest.mark.parametrize(
    ("hand", "code", "named"),
    [
        # An invoice that is partly paid would go back to where AutoInvoice takes it from.
        (by_hand(partly_paid="I Visma.net ERP, skicka till kund"), "role_order", "partly_paid"),
        (by_hand(partly_paid="Skickad"), "role_order", "partly_paid"),
        (by_hand(partly_paid="Betalad"), "role_order", "partly_paid"),
        (by_hand(sent="I Visma.net ERP, skicka till kund"), "role_order", "sent"),
        (by_hand(sent="Betalad"), "role_order", "sent"),
        (by_hand(sent="Delbetald", partly_paid="Påmind"), "role_order", "partly_paid"),
        (by_hand(transfer="Misslyckade fakturor"), "role_order", "transfer"),
        (by_hand(transfer="Skickad"), "role_order", "transfer"),
        (by_hand(failed="Godkänd, klar för Visma.net ERP"), "role_order", "failed"),
        (by_hand(failed="Betalad"), "role_order", "failed"),
        (by_hand(transferred="Betalad"), "role_order", "transferred"),
        (by_hand(paid="Skickad"), "role_order", "paid"),
        (by_hand(failed="Utkast"), "failed_is_default", "Utkast"),
        (by_hand(transfer="Väntar på godkännande"), "transfer_editable", "Väntar på godkännande"),
        (by_hand(transferred="Väntar på godkännande", transfer="Utkast"), "transfer_editable", "Utkast"),
        (by_hand(transferred="Skickad", sent="Påmind"), "number_too_early", "I Visma.net ERP"),
        (by_hand(paid="Delbetald"), "paid_not_paid", "Delbetald"),
        (by_hand(sent="Borta"), "role_unknown", "sent"),
    ],
)
def test_a_role_set_by_hand_keeps_the_order_and_the_flags(
    hand: dict[Any, str], code: str, named: str
) -> None:
    with pytest.raises(Stop) as stop:
        derive_roles(reminded(), overrides=hand)
    assert stop.value.code == f"statuses.{code}"
    cause = CAUSES[stop.value.code]
    for language in ("sv", "en"):
        said = cause.wrong.fill(language, stop.value.values)
        assert named in said
        assert "–" not in said + cause.do.fill(language, stop.value.values)
        if code == "role_order":
            assert stop.value.values["set"] == named
            assert {stop.value.values["status"], stop.value.values["later"]} <= set(
                re.findall("[“”](.*?)”", said)
            )


@pytest.mark.req("R-STA-1", "R-STA-2")
def test_a_paid_flag_before_the_paid_role_is_named() -> None:
    rows = [*approval(), status("Arkiverad", 9, "rnsp")]
    with pytest.raises(Stop) as stop:
        derive_roles(rows, overrides=by_hand(paid="Arkiverad"))
    assert (stop.value.code, stop.value.values["status"]) == ("statuses.paid_too_early", "Betalad")


@pytest.mark.req("R-STA-2")
@pytest.mark.parametrize(
    "hand", [by_hand(sent="Påmind"), by_hand(transfer="Låst"), by_hand(partly_paid="Påmind")]
)
def test_a_role_set_by_hand_within_the_order_is_taken(hand: dict[Any, str]) -> None:
    rows = reminded()
    if "transfer" in hand:
        rows = [row for row in rows if row["name"] != "Godkänd, klar för Visma.net ERP"]
    roles = derive_roles(rows, overrides=hand)
    assert {role: status.guid for role in hand if (status := roles.of(role)) is not None} == hand
