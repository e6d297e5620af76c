"""Signing in, as a call sees it: when a token is renewed, by whom, and what a refusal means."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from unit.connectors.local_server import answer, serving
from unit.connectors.transports import failed, token, transport

from connectors.severa import SeveraAccess
from connectors.signing_in import MemoryTokenStore, Token
from connectors.visma_net import VismaNetAccess
from domain.errors import (
    SignInFailed,
    Unavailable,
)


class TestSigningIn:
    def test_a_401_is_answered_with_a_fresh_token_once_even_for_a_create(self) -> None:
        tokens = MemoryTokenStore(token())
        with serving(answer(401), answer(201, "{}")) as server, transport(server, tokens=tokens) as one:
            assert one.send("POST", "/v1/customers", repeatable=False, json={"name": "A"}).status_code == 201
            assert [request.headers["authorization"] for request in server.requests] == [
                "Bearer first-token",
                "Bearer second-token",
            ]
        stored = tokens.load()
        assert stored is not None
        assert stored.access_token == "second-token"

    def test_a_second_401_is_a_failed_sign_in(self) -> None:
        with serving(answer(401, '{"message":"no"}')) as server:
            problem = failed(server)
            assert isinstance(problem, SignInFailed)
            assert len(server.requests) == 2

    def test_a_token_near_its_end_is_replaced_before_the_call(self) -> None:
        tokens = MemoryTokenStore(token(expires_at=datetime.now(UTC) + timedelta(seconds=290)))
        with serving(answer(200)) as server, transport(server, tokens=tokens) as one:
            one.send("GET", "/v1/x", repeatable=True)
            assert server.requests[0].headers["authorization"] == "Bearer second-token"

    def test_a_token_that_lives_shorter_than_the_margin_is_still_used_more_than_once(self) -> None:
        signed_in: list[None] = []

        def sign_in(_stored: Token | None) -> Token:
            signed_in.append(None)
            return token(f"short-{len(signed_in)}", datetime.now(UTC) + timedelta(seconds=120))

        with (
            serving(answer(200)) as server,
            transport(server, tokens=MemoryTokenStore(), sign_in=sign_in) as one,
        ):
            for _ in range(3):
                one.send("GET", "/v1/x", repeatable=True)
        assert len(signed_in) == 1

    def test_eight_threads_sign_in_once(self) -> None:
        gate = threading.Barrier(8)
        signed_in: list[None] = []

        def sign_in(_stored: Token | None) -> Token:
            signed_in.append(None)
            return token("shared")

        with (
            serving(answer(200)) as server,
            transport(server, tokens=MemoryTokenStore(), sign_in=sign_in) as one,
        ):

            def call() -> None:
                gate.wait(60)
                one.send("GET", "/v1/x", repeatable=True)

            threads = [threading.Thread(target=call) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(10)
            assert len(server.requests) == 8
        assert len(signed_in) == 1

    def test_a_process_that_finds_the_lease_taken_waits_for_the_others_token(self) -> None:
        tokens = MemoryTokenStore()
        assert tokens.begin_refresh()
        other = threading.Timer(0.2, tokens.save, [token("theirs")])
        other.start()
        with serving(answer(200)) as server, transport(server, tokens=tokens) as one:
            one.send("GET", "/v1/x", repeatable=True)
            assert server.requests[0].headers["authorization"] == "Bearer theirs"
        other.join()

    def test_and_gives_up_after_a_bounded_time(self) -> None:
        tokens = MemoryTokenStore()
        assert tokens.begin_refresh()
        with serving(answer(200)) as server:
            problem = failed(server, tokens=tokens, sign_in_wait=0.2)
            assert isinstance(problem, Unavailable)
            assert server.requests == []

    def test_a_failed_sign_in_gives_the_lease_back(self) -> None:
        def refuse(_stored: Token | None) -> Token:
            raise SignInFailed(system="severa", reason="wrong_secret")

        tokens = MemoryTokenStore()
        with serving(answer(200)) as server:
            assert isinstance(failed(server, tokens=tokens, sign_in=refuse), SignInFailed)
        assert tokens.begin_refresh()

    def test_a_lease_whose_holder_died_ends_by_itself(self) -> None:
        time = [0.0]
        tokens = MemoryTokenStore(clock=lambda: time[0])
        assert tokens.begin_refresh()
        assert not tokens.begin_refresh()
        time[0] = 61.0
        assert tokens.begin_refresh()


@pytest.mark.parametrize(
    "access",
    [
        SeveraAccess("https://severa.example", "client", "top-secret"),
        VismaNetAccess("https://erp.example", "https://connect.example", "service", "c", "top-secret", "t"),
    ],
)
def test_a_secret_does_not_show_in_the_description_of_an_access(access: object) -> None:
    assert "top-secret" not in repr(access)
    assert ".example" in repr(access)
