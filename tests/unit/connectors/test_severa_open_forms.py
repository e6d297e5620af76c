"""Severa's connector where the document leaves the form of a PATCH open: the server's answers tell which one it takes."""

from __future__ import annotations

from typing import Any

import pytest
import simplejson
from severa_script import page, severa
from unit.connectors.local_server import LocalServer

from domain import clock
from domain.errors import BridgeError, NotSent, OutcomeUnknown, Refused

BOTH = [("/number", 7), ("/status/guid", "S2")]
OBJECT = [("/number", 7), ("/status", {"guid": "S2"})]
CHANGES = {"/number": 7, "/status/guid": "S2"}
MOVED: dict[str, Any] = {"guid": "i", "number": 7, "status": {"guid": "s2"}}
STILL: dict[str, Any] = {"guid": "i", "number": 7, "status": {"guid": "s1"}}


def refusal(text: str) -> Any:
    return page({"error": {"type": "InvalidParameter", "details": [{"message": text}]}}, 400)


def sent(server: LocalServer) -> list[list[tuple[str, Any]]]:
    """The operations of every PATCH, in order."""
    return [
        [(one["path"], one["value"]) for one in simplejson.loads(request.body)]
        for request in server.requests
        if request.method == "PATCH"
    ]


def test_a_status_path_that_is_refused_is_written_as_an_object() -> None:
    with severa(refusal("The target location /status/guid was not found"), page([MOVED])) as (client, server):
        assert client.patch("invoices", "i", CHANGES) == MOVED
        assert sent(server) == [BOTH, OBJECT]


def test_the_form_that_worked_is_used_from_then_on() -> None:
    script = (refusal("path not found"), page([MOVED]), page({**MOVED, "guid": "j"}))
    with severa(*script) as (client, server):
        client.patch("invoices", "i", CHANGES)
        client.patch("invoices", "j", CHANGES)
        assert sent(server) == [BOTH, OBJECT, OBJECT]


def test_a_status_that_is_ignored_in_silence_is_read_again_before_the_other_form_is_sent() -> None:
    script = (page([STILL]), page(STILL), page([MOVED]))
    with severa(*script) as (client, server):
        assert client.patch("invoices", "i", CHANGES) == MOVED
        assert [request.method for request in server.requests] == ["PATCH", "GET", "PATCH"]
        assert sent(server) == [BOTH, OBJECT]


def test_a_status_that_shows_a_moment_later_is_not_set_a_second_time() -> None:
    with severa(page([STILL]), page(MOVED)) as (client, server):
        assert client.patch("invoices", "i", CHANGES) == MOVED
        assert sent(server) == [BOTH]


def test_a_refusal_for_another_reason_is_told_in_the_vendors_words() -> None:
    script = (refusal("path /status/guid was not found"), refusal("number cannot be changed"))
    with severa(*script) as (client, server):
        with pytest.raises(Refused, match="number cannot be changed"):
            client.patch("invoices", "i", CHANGES)
        assert sent(server) == [BOTH, OBJECT]


def test_a_refusal_once_the_form_is_known_is_final() -> None:
    with severa(page([MOVED]), refusal("The invoice is read-only")) as (client, server):
        client.patch("invoices", "i", CHANGES)
        with pytest.raises(Refused, match="read-only"):
            client.patch("invoices", "i", CHANGES)
        assert sent(server) == [BOTH, BOTH]


def test_what_has_one_form_only_is_sent_once() -> None:
    with severa(refusal("path not found")) as (client, server):
        with pytest.raises(Refused):
            client.patch("invoices", "i", {"/number": 7})
        assert sent(server) == [[("/number", 7)]]


class TestUnderAPermission:
    """One permission is one call: the other form is for the next one (docs/never-twice.md rule 5)."""

    def outcomes(self, client: Any, times: int) -> list[Any]:
        """What becomes of the same change, each time under a permission of its own."""
        ended: list[Any] = []
        for _ in range(times):
            try:
                ended.append(client.patch("invoices", "i", CHANGES, not_after=clock.boot() + 600))
            except BridgeError as error:
                ended.append(error)
        return ended

    def test_the_other_form_is_sent_under_the_next_one_and_then_used(self) -> None:
        script = (refusal("The target location /status/guid was not found"), page([MOVED]))
        with severa(*script) as (client, server):
            first, second, third = self.outcomes(client, 3)
            assert type(first) is NotSent
            assert [second, third] == [MOVED, MOVED]
            assert sent(server) == [BOTH, OBJECT, OBJECT]

    def test_a_form_that_is_ignored_in_silence_counts_as_refused(self) -> None:
        with severa(page([STILL]), page(STILL), page([MOVED])) as (client, server):
            first, second = self.outcomes(client, 2)
            assert type(first) is NotSent
            assert second == MOVED
            assert sent(server) == [BOTH, OBJECT]

    def test_when_no_form_is_taken_the_refusal_is_told_and_all_are_open_again(self) -> None:
        refused = refusal("path /status/guid was not found"), refusal("number cannot be changed")
        with severa(*refused, page([MOVED])) as (client, server):
            first, second, third = self.outcomes(client, 3)
            assert type(first) is NotSent
            assert isinstance(second, Refused)
            assert second.message == "number cannot be changed"
            assert third == MOVED
            assert sent(server) == [BOTH, OBJECT, BOTH]

    def test_when_all_are_ignored_in_silence_each_call_tries_one_and_ends(self) -> None:
        """A server that says yes and does nothing: every other call asking for another permission would never end."""
        with severa(*[page(STILL)] * 7, page(MOVED), page(MOVED)) as (client, server):
            first, *others = self.outcomes(client, 7)
            assert type(first) is NotSent
            assert others == [STILL] * 5 + [MOVED]
            assert sent(server) == [BOTH, OBJECT, BOTH, OBJECT, BOTH, OBJECT, BOTH]

    def test_the_first_refusal_is_told_when_it_was_not_about_the_form(self) -> None:
        refused = refusal("The invoice is read-only"), refusal("path /status was not found")
        with severa(*refused) as (client, _):
            assert self.outcomes(client, 2)[1].message == "The invoice is read-only"

    def test_a_change_that_was_accepted_and_cannot_be_read_is_unknown(self) -> None:
        with severa(page([]), page({}, 503)) as (client, server):
            assert type(self.outcomes(client, 1)[0]) is OutcomeUnknown
            assert sent(server) == [BOTH]

    @pytest.mark.parametrize("status", [500, 503])
    def test_a_change_without_an_answer_is_unknown(self, status: int) -> None:
        with severa(page({}, status)) as (client, _):
            assert type(self.outcomes(client, 1)[0]) is OutcomeUnknown
