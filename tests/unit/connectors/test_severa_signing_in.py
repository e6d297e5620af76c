"""Severa's connector against other installations' refusals and tokens."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import simplejson
from severa_script import page, severa
from unit.connectors.local_server import Act, answer, close

from connectors.severa import NEEDED_SCOPES
from connectors.signing_in import MemoryTokenStore
from domain.errors import RateLimited, Refused, SignInFailed, Unavailable


class TestErrors:
    def test_the_error_type_goes_along(self) -> None:
        body = {"error": {"type": "InvalidOperation", "details": [{"message": "The invoice is read only."}]}}
        with severa(page(body, 400)) as (client, _), pytest.raises(Refused, match="read only") as caught:
            client.patch("invoices", "i", {"/number": 7})
        assert caught.value.fields["type"] == "InvalidOperation"

    def test_a_quota_text_is_a_no_under_any_status(self) -> None:
        quota = answer(503, "API calls quota exceeded! maximum admitted 10 per 1s.")
        with severa(quota) as (client, _), pytest.raises(RateLimited):
            client.create("customers", {"name": "A"})

    def test_a_closed_organisation_shuts_the_connection_not_the_record(self) -> None:
        body = {"error": {"type": "OrganizationNotActive", "details": None}}
        with severa(page(body, 403)) as (client, _), pytest.raises(SignInFailed) as caught:
            client.get("customers", "c")
        assert caught.value.reason == "no_license"


def token_answer(scope: Any = "", **more: Any) -> Act:
    return page({"access_token": "fresh", "access_token_expires_in": 3600, "scope": scope, **more})


@pytest.mark.req("R-SET-2")
class TestSigningIn:
    def test_asks_for_everything_wanted_separated_by_spaces(self) -> None:
        with severa(token_answer(), page([]), tokens=MemoryTokenStore()) as (client, server):
            list(client.list("vatrates"))
            body = simplejson.loads(server.requests[0].body)
            assert server.requests[0].target == "/rest-api/v1/token"
            assert set(body["scope"].split(" ")) == {*NEEDED_SCOPES, "files:write"}
            assert (body["client_id"], body["client_secret"]) == ("client", "secret")
            assert server.requests[1].headers["authorization"] == "Bearer fresh"

    @pytest.mark.parametrize("separator", [" ", ",", ", "])
    def test_granted_scopes_are_read_in_any_spelling(self, separator: str) -> None:
        with severa(token_answer(separator.join(sorted(NEEDED_SCOPES)).upper())) as (client, _):
            assert client.check() == NEEDED_SCOPES

    def test_check_signs_in_even_if_a_good_token_is_stored(self) -> None:
        with severa(token_answer()) as (client, server):
            client.check()
            assert [request.target for request in server.requests] == ["/rest-api/v1/token"]

    def test_a_partial_token_names_what_is_missing(self) -> None:
        partial = token_answer(" ".join(NEEDED_SCOPES - {"users:read", "fees:write"}))
        with severa(partial) as (client, _), pytest.raises(SignInFailed) as caught:
            client.check()
        assert caught.value.reason == "missing_scope"
        assert caught.value.fields["missing"] == ["fees:write", "users:read"]

    def test_a_refusal_of_the_whole_is_followed_by_asking_for_whatever_there_is(self) -> None:
        script = (*[answer(401)] * 4, token_answer("customers:read"), page([]))
        with severa(*script, tokens=MemoryTokenStore()) as (client, server):
            list(client.list("vatrates"))
            asked = [
                simplejson.loads(request.body).get("scope", "").count(":") for request in server.requests[:5]
            ]
            everything, needed = len(NEEDED_SCOPES) + 1, len(NEEDED_SCOPES)
            assert asked == [everything, everything, needed, needed, 0]

    def test_a_server_that_splits_scopes_at_commas_gets_commas_and_is_asked_so_from_then_on(self) -> None:
        script = (answer(401), token_answer(), answer(401), token_answer(), page([]))
        with severa(*script, tokens=MemoryTokenStore()) as (client, server):
            list(client.list("vatrates"))
            bodies = [simplejson.loads(one.body) for one in server.requests if one.target.endswith("/token")]
            assert [body["scope"].count(",") for body in bodies] == [0, *[len(NEEDED_SCOPES)] * 2]

    def test_where_even_that_is_refused_each_scope_is_tried_alone(self) -> None:
        script = [answer(401)] * 5 + [answer(401) if n in (0, 5) else token_answer() for n in range(14)]
        with severa(*script, stop=stopped_waits()) as (client, server):
            with pytest.raises(SignInFailed) as caught:
                client.check()
            assert len(server.requests) == 19
        wanted = sorted({*NEEDED_SCOPES, "files:write"})
        assert caught.value.fields["missing"] == [
            one for one in (wanted[0], wanted[5]) if one in NEEDED_SCOPES
        ]

    def test_and_when_none_is_granted_the_secret_is_wrong(self) -> None:
        with severa(answer(401), stop=stopped_waits()) as (client, _), pytest.raises(SignInFailed) as caught:
            client.check()
        assert caught.value.reason == "wrong_secret"

    def test_an_account_that_may_not_use_the_api_is_told_as_such(self) -> None:
        body = {
            "error": {"type": "TermsOfServiceNotApproved", "details": [{"message": "Approve the terms."}]}
        }
        with severa(page(body, 403)) as (client, server):
            with pytest.raises(SignInFailed, match="Approve") as caught:
                client.check()
            assert len(server.requests) == 1
        assert caught.value.reason == "no_license"

    def test_member_names_of_the_token_in_any_case_and_the_usual_ones_too(self) -> None:
        script = (page({"Access_Token": "a", "expires_in": "60"}), page([]))
        with severa(*script, tokens=MemoryTokenStore()) as (client, server):
            list(client.list("vatrates"))
            assert server.requests[1].headers["authorization"] == "Bearer a"

    @pytest.mark.parametrize("act", [answer(500), close, answer(429)])
    def test_a_server_that_is_down_is_no_wrong_secret(self, act: Act) -> None:
        with severa(act, tokens=MemoryTokenStore()) as (client, _), pytest.raises((Unavailable, RateLimited)):
            client.get("customers", "c")


def stopped_waits() -> threading.Event:
    """A stop signal whose waits end at once though it is not set: the pauses between sign-ins take no time."""

    class Instant(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            return False

    return Instant()
