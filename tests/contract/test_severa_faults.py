"""The Severa connector against the Severa simulator, over real HTTP: everything that can go wrong."""

from __future__ import annotations

from typing import Any

import pytest
from severa_served import calls, person, severa

from connectors.endpoint import Timeouts
from connectors.pacing import SlotPacer
from connectors.severa import SeveraClient
from connectors.signing_in import MemoryTokenStore
from domain.errors import (
    OutcomeUnknown,
    RateLimited,
    Unavailable,
)
from simulators.control import Controlled
from simulators.server import running
from simulators.severa import create_app


class TestFaults:
    @pytest.mark.req("R-INV-13")
    @pytest.mark.parametrize(
        ("kind", "status", "made"),
        [("commit_then_drop", 0, 1), ("drop", 0, 0), ("commit_then_status", 502, 1), ("status", 500, 0)],
    )
    def test_a_create_whose_answer_is_lost_is_unknown_and_is_not_sent_again(
        self, simulator: Controlled, url: str, client: SeveraClient, *, kind: Any, status: int, made: int
    ) -> None:
        client.check()
        simulator.faults.arm(kind, "/customers$", method="POST", status=status, times=None)
        with pytest.raises(OutcomeUnknown) as caught:
            client.create("customers", {"name": "Osäker AB"})
        assert caught.value.fields["operation"] == "POST /rest-api/v1/customers"
        assert [row["name"] for row in client.list("customers")].count("Osäker AB") == made
        assert [call["path"] for call in calls(url) if call["method"] == "POST"] == [
            "/rest-api/v1/token",
            "/rest-api/v1/customers",
        ]

    def test_a_create_that_answers_too_late_is_unknown(self, simulator: Controlled, url: str) -> None:
        client = severa(url, tokens=MemoryTokenStore())
        client.check()
        hasty = severa(url, timeouts=Timeouts(create=0.3))
        simulator.faults.arm("delay_after", "/customers$", method="POST", seconds=1.0)
        with pytest.raises(OutcomeUnknown):
            hasty.create("customers", {"name": "Sen AB"})
        hasty.close()
        assert len([row for row in client.list("customers") if row["name"] == "Sen AB"]) == 1
        client.close()

    @pytest.mark.parametrize(("kind", "status"), [("drop", 0), ("status", 500), ("status", 503)])
    def test_a_read_that_fails_is_only_unavailable(
        self, simulator: Controlled, client: SeveraClient, kind: Any, status: int
    ) -> None:
        client.check()
        simulator.faults.arm(kind, "/customers$", method="GET", status=status)
        with pytest.raises(Unavailable):
            list(client.list("customers"))
        assert list(client.list("customers"))

    @pytest.mark.parametrize("status", [429, 403, 503])
    def test_a_refused_create_was_not_done_also_for_a_429(
        self, simulator: Controlled, client: SeveraClient, status: int
    ) -> None:
        client.check()
        simulator.faults.arm(
            "status", "/customers$", method="POST", status=status, body="API calls quota exceeded!"
        )
        with pytest.raises(RateLimited) as limited:
            client.create("customers", {"name": "Nekad AB"})
        assert limited.value.costs_attempt
        assert client.create("customers", {"name": "Nekad AB"})["guid"]

    def test_a_server_that_is_gone_was_never_asked(self) -> None:
        with running(create_app()) as gone:
            pass
        client = severa(gone)
        with pytest.raises(Unavailable):
            client.create("customers", {"name": "A"})
        client.close()

    def test_a_429_in_the_middle_of_a_list_costs_a_pause_not_the_list(
        self, simulator: Controlled, url: str, client: SeveraClient
    ) -> None:
        for n in range(120):
            person(url, "customers", {"name": f"Kund {n}"})
        simulator.faults.arm(
            "status", "/customers$", method="GET", status=429, headers={"Retry-After": "0"}, skip=1, times=2
        )
        assert len(list(client.list("customers"))) == 8 + 120

    def test_paced_by_its_slots_the_client_never_meets_the_limit(
        self, simulator: Controlled, url: str
    ) -> None:
        simulator.settings.calls_per_second = 10
        client = severa(url, pacer=SlotPacer())
        for _ in range(12):
            client.get("organizationdetails", "")
        client.close()
        assert {call["status"] for call in calls(url)} == {200}
