"""What each answer, and each way of getting none, means; against a real server on the loopback."""

from __future__ import annotations

import logging
import socket
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

import httpcore
import pytest
from unit.connectors.local_server import answer, broken_off, close, drip, raw, serving, silent
from unit.connectors.transports import failed, token, transport

from connectors import wire
from connectors.masking import Exchange, masked, masked_body
from connectors.pacing import NoPacing
from connectors.verdict import limited_for, retry_after
from domain.errors import (
    BridgeError,
    Forbidden,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refused,
    SignInFailed,
    Stale,
    Unavailable,
)


@pytest.fixture
def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


class TestNeverConnectedIsANo:
    @pytest.mark.parametrize("repeatable", [True, False])
    def test_when_the_port_is_closed(self, closed_port: str, *, repeatable: bool) -> None:
        problem = failed(closed_port, "POST", repeatable=repeatable)
        assert isinstance(problem, Unavailable)
        assert problem.fields["error"] == "ConnectError"

    def test_when_the_name_does_not_resolve(self) -> None:
        # No look-up leaves the house: a label longer than 63 letters is refused before.
        problem = failed(f"http://{'a' * 70}.invalid", "POST", repeatable=False)
        assert isinstance(problem, Unavailable)

    def test_when_looking_the_name_up_takes_too_long(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ended = threading.Event()

        def never(*_asked: Any, **_how: Any) -> Any:
            ended.wait(300)
            raise OSError("too late")

        monkeypatch.setattr(socket, "getaddrinfo", never)
        problem = failed("http://vendor.example", "POST", repeatable=False, connect_timeout=0.2)
        ended.set()
        assert isinstance(problem, Unavailable)
        assert problem.fields["error"] == "ConnectTimeout"

    def test_unless_the_host_has_another_address_that_answers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = httpcore.SyncBackend.connect_tcp
        tried: list[str] = []

        def dead_at_first(self: httpcore.SyncBackend, host: str, *rest: Any) -> Any:
            tried.append(host)
            if len(tried) == 1:
                raise httpcore.ConnectError("dead")
            return real(self, host, *rest)

        monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", dead_at_first)
        monkeypatch.setattr(wire, "addresses", lambda *_asked: ["127.0.0.1", "127.0.0.1"])
        with serving(answer(200)) as server, transport(server) as one:
            assert one.send("POST", "/v1/x", repeatable=False).status_code == 200
        assert len(tried) == 2

    def test_when_no_connection_is_free_in_time(self) -> None:
        with socket.socket() as full:
            # A backlog of nought that one connection fills: the next one's handshake is never answered.
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            waiting = [socket.socket() for _ in range(3)]
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(full.getsockname())
            problem = failed(
                f"http://127.0.0.1:{full.getsockname()[1]}", "POST", repeatable=False, connect_timeout=0.2
            )
            for one in waiting:
                one.close()
        assert isinstance(problem, Unavailable)
        assert problem.fields["error"] == "ConnectTimeout"


@pytest.mark.req("R-INV-13")
class TestNoAnswerAfterSending:
    @pytest.mark.parametrize(
        "act", [close, broken_off(200), silent, drip, answer(500), answer(502), answer(302)]
    )
    def test_is_unknown_for_a_create(self, act: Any) -> None:
        with serving(act) as server:
            problem = failed(server, "POST", repeatable=False, create_timeout=0.3)
            assert isinstance(problem, OutcomeUnknown)
            assert problem.fields["operation"] == "POST /base/v1/invoices"
            assert len(server.requests) == 1

    @pytest.mark.parametrize(
        "act", [close, broken_off(200), silent, drip, answer(500), answer(502), answer(302)]
    )
    def test_is_only_unavailable_for_what_may_be_repeated(self, act: Any) -> None:
        with serving(act) as server:
            assert isinstance(failed(server, read_timeout=0.3), Unavailable)

    def test_but_a_refusal_whose_text_broke_off_stays_a_no(self) -> None:
        with serving(broken_off(400)) as server:
            assert type(failed(server, "POST", repeatable=False)) is Refused

    def test_and_a_yes_that_named_the_record_stays_a_yes(self) -> None:
        with serving(broken_off(201, Location="/v1/customers/7")) as server, transport(server) as one:
            given = one.send("POST", "/v1/customers", repeatable=False)
        assert (given.status_code, given.content) == (201, b"")
        assert given.headers["location"] == "/v1/customers/7"


@pytest.mark.parametrize("repeatable", [True, False])
@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (400, Refused),
        (403, Forbidden),
        (404, NotFound),
        (408, Unavailable),
        (409, Refused),
        (412, Stale),
        (422, Refused),
        (429, RateLimited),
    ],
)
def test_a_4xx_is_a_no_for_every_call(status: int, meaning: type[BridgeError], *, repeatable: bool) -> None:
    with serving(answer(status, '{"message": "because"}')) as server:
        problem = failed(server, "POST", repeatable=repeatable)
    assert type(problem) is meaning
    assert problem.message == "because"
    assert problem.fields["status"] == status


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_2xx_is_a_yes_even_an_empty_one(status: int) -> None:
    with serving(answer(status)) as server, transport(server) as one:
        assert one.send("POST", "/v1/x", repeatable=False).status_code == status


@pytest.mark.parametrize("status", [400, 409, 500])
def test_another_process_is_stale_whatever_its_status(status: int) -> None:
    text = "Another process has updated the 'ARInvoice' record. Your changes will be lost."
    with serving(answer(status, f'{{"message": "{text}"}}')) as server:
        assert isinstance(failed(server, "PUT", repeatable=False), Stale)


def test_a_missing_licence_is_a_failed_sign_in_and_no_second_try() -> None:
    body = '{"ExceptionMessage":"No license for this company.","ExceptionFaultCode":"12027"}'
    for status in (401, 403):
        with serving(answer(status, body)) as server:
            problem = failed(server)
            assert isinstance(problem, SignInFailed)
            assert problem.reason == "no_license"
            assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"error":{"type":"InvalidParameter","details":[{"message":"one"},{"message":"two"}]}}', "one; two"),
        ('{"error":{"type":"AddonMissing","details":null}}', "AddonMissing"),
        ('{"message":"plain"}', "plain"),
        ('{"Message":"capital"}', "capital"),
        ('{"ExceptionMessage":"exception"}', "exception"),
        ('{"error":"invalid_scope","error_description":"described"}', "described"),
        ('{"error":"invalid_scope"}', "invalid_scope"),
        ("<html><style>b{}</style><h1>Bad\n gateway</h1></html>", "Bad gateway"),
        (
            "API calls quota exceeded! maximum admitted 10 per 1s.",
            "API calls quota exceeded! maximum admitted 10 per 1s.",
        ),
        ("", "HTTP 400"),
        ("x" * 1000, "x" * 300),
    ],
)
def test_the_vendors_own_words_are_the_message(body: str, words: str) -> None:
    with serving(answer(400, body)) as server:
        assert failed(server).message == words


class TestHowLongToWait:
    NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("7", 7),
            (" 7 ", 7),
            ("0", 0),
            ("1.5", 1.5),
            (format_datetime(NOW + timedelta(seconds=30), usegmt=True), 30),
            (format_datetime(NOW - timedelta(days=1), usegmt=True), 0),
            # What is absurd is bounded or not heard at all.
            ("-5", 0),
            ("1000000000", 3600),
            ("1e9", 3600),
            ("9" * 5000, None),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 3600),
            ("Fri, 31 Dec 9999 23:59:59 -2359", 3600),
            ("Mon, 01 Jan 0001 00:00:00 +2359", 0),
            ("nan", None),
            ("inf", None),
            ("-inf", None),
            ("soon", None),
            ("", None),
            ("Mon, 99 Foo 2026 99:99:99 GMT", None),
            ("\u0663", 3),
        ],
    )
    def test_retry_after_is_seconds_or_a_date(self, value: str, seconds: float | None) -> None:
        assert retry_after({"retry-after": value}, now=self.NOW) == seconds

    def test_the_end_of_the_window_is_no_retry_after(self) -> None:
        assert retry_after({"x-ratelimit-reset": "1800"}) is None
        assert retry_after({"retry-after": "7", "x-ratelimit-reset": "1800"}) == 7

    @pytest.mark.parametrize(
        ("headers", "seconds"),
        [
            ({}, None),
            ({"retry-after": "3"}, 3),
            ({"retry-after": "0"}, 1),
            ({"retry-after": "-1"}, 1),
            ({"x-ratelimit-reset": "1800"}, 1800),
            ({"x-ratelimit-reset": "1800", "retry-after": "3"}, 3),
            ({"x-ratelimit-reset": "1800", "x-ratelimit-remaining": "0"}, 1800),
            ({"x-ratelimit-reset": "1800", "x-ratelimit-remaining": "0", "retry-after": "3"}, 1800),
            # Budget is left: it is too many at a time, and the window has nothing to do with it.
            ({"x-ratelimit-reset": "1800", "x-ratelimit-remaining": "120"}, None),
            ({"x-ratelimit-reset": "1800", "x-ratelimit-remaining": "120", "retry-after": "3"}, 3),
            ({"x-ratelimit-reset": "1793606400", "x-ratelimit-remaining": "0"}, 3600),
            ({"x-ratelimit-reset": "-1", "x-ratelimit-remaining": "0"}, None),
            ({"x-ratelimit-reset": "nan", "x-ratelimit-remaining": "-1"}, None),
        ],
    )
    def test_after_a_429(self, headers: dict[str, str], seconds: float | None) -> None:
        assert limited_for(headers) == seconds
        with serving(answer(429, "slow down", **headers)) as server:
            problem = failed(server)
        assert isinstance(problem, RateLimited)
        assert problem.retry_after == seconds

    @pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 425])
    @pytest.mark.parametrize("left", ["0", "120"])
    def test_another_trouble_does_not_wait_for_the_window(self, status: int, left: str) -> None:
        window = {"X_RateLimit_Reset": "1800", "X_RateLimit_Remaining": left, "X_RateLimit_Limit": "500"}
        with serving(answer(status, **window)) as server:
            problem = failed(server)
        assert isinstance(problem, Unavailable)
        assert problem.retry_after is None
        with serving(answer(status, **window, Retry_After="9")) as server:
            problem = failed(server)
        assert isinstance(problem, Unavailable)
        assert problem.retry_after == 9

    def test_nor_does_a_deadlock(self) -> None:
        text = "Another process has updated the 'ARInvoice' record."
        with serving(answer(500, f'{{"message": "{text}"}}', X_RateLimit_Reset="1800")) as server:
            problem = failed(server)
        assert isinstance(problem, Stale)
        assert not hasattr(problem, "retry_after")


def test_money_keeps_every_digit_on_the_wire() -> None:
    with serving(answer(200)) as server, transport(server) as one:
        one.send("POST", "/v1/x", repeatable=False, json={"amount": Decimal("1234567890.10"), "name": "Åsa"})
        assert server.requests[0].body == '{"amount": 1234567890.10, "name": "Åsa"}'.encode()
        with pytest.raises(TypeError, match="float"):
            one.send("POST", "/v1/x", repeatable=False, json=[{"amount": 0.1}])


def test_a_list_in_the_query_repeats_its_name_and_booleans_are_small() -> None:
    with serving(answer(200)) as server, transport(server) as one:
        params = {"guids": ["a", "b c"], "active": True, "rowCount": 100}
        one.send("GET", "/v1/x", repeatable=True, params=params)
        assert server.requests[0].target == "/base/v1/x?guids=a&guids=b+c&active=true&rowCount=100"


def test_reads_share_a_connection_and_creates_get_one_of_their_own() -> None:
    with serving(answer(200)) as server, transport(server) as one:
        one.send("GET", "/v1/x", repeatable=True)
        one.send("GET", "/v1/x", repeatable=True)
        one.send("POST", "/v1/x", repeatable=False)
        one.send("POST", "/v1/x", repeatable=False)
        assert [request.connection for request in server.requests] == [1, 1, 2, 3]


class TestThroughAProxy:
    """As the environment says; a proxy is spoken to before the vendor is."""

    @pytest.fixture(autouse=True)
    def no_exceptions(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.delenv(name, raising=False)

    def test_the_call_goes_to_the_proxy_with_its_whole_address(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with serving(answer(200)) as proxy:
            monkeypatch.setenv("http_proxy", proxy.url.replace("//", "//me:secret@"))
            with transport("http://vendor.example") as one:
                one.send("POST", "/v1/x", repeatable=False, json={"a": 1})
            [request] = proxy.requests
            assert request.target == "http://vendor.example/base/v1/x"
            assert request.headers["proxy-authorization"] == "Basic bWU6c2VjcmV0"

    @pytest.mark.parametrize("act", [answer(502), answer(407), close, silent])
    def test_without_a_tunnel_the_vendor_has_heard_nothing(
        self, monkeypatch: pytest.MonkeyPatch, act: Any
    ) -> None:
        with serving(act) as proxy:
            monkeypatch.setenv("https_proxy", proxy.url)
            problem = failed("https://vendor.example", "POST", repeatable=False, create_timeout=1.0)
            assert isinstance(problem, Unavailable)
            assert [head.split()[:2] for head in proxy.heads] == [["CONNECT", "vendor.example:443"]]

    def test_a_tunnel_without_tls_behind_it_has_carried_nothing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with serving(raw(b"HTTP/1.1 200 Connected\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", end=True)) as proxy:
            monkeypatch.setenv("https_proxy", proxy.url)
            assert isinstance(failed("https://vendor.example", "POST", repeatable=False), Unavailable)

    def test_hosts_that_are_named_are_called_directly(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with serving(answer(200)) as server, serving(answer(502)) as proxy:
            monkeypatch.setenv("http_proxy", proxy.url)
            monkeypatch.setenv("no_proxy", "127.0.0.1")
            with transport(server) as one:
                assert one.send("GET", "/v1/x", repeatable=True).status_code == 200
            assert proxy.requests == []


def test_the_token_is_never_sent_to_another_host() -> None:
    with serving(answer(200)) as ours, serving(answer(200)) as other, transport(ours) as one:
        assert one.send("GET", f"{ours.url}/base/v1/state", repeatable=True).status_code == 200
        with pytest.raises(Refused, match="another host"):
            one.send("GET", f"{other.url}/v1/state", repeatable=True)
        assert other.requests == []


def test_a_redirect_is_not_followed() -> None:
    with serving(answer(200)) as other, serving(answer(307, Location=f"{other.url}/")) as server:
        assert isinstance(failed(server), Unavailable)
        assert other.requests == []


@pytest.mark.req("R-LOG-2")
class TestWhatIsShown:
    def test_an_observer_sees_the_call_without_secrets_and_persons(self) -> None:
        seen: list[Exchange] = []
        body = '{"name":"Konsult AB","email":"eva@konsult.example","number":7,"access_token":"abc"}'
        with serving(answer(200, body)) as server, transport(server, observe=seen.append) as one:
            one.send(
                "POST", "/v1/customers?x=1", repeatable=False, json={"client_secret": "s3cret", "code": "A1"}
            )
        [exchange] = seen
        assert (exchange.method, exchange.path, exchange.status) == ("POST", "/base/v1/customers", 200)
        assert exchange.request == '{"client_secret": "***", "code": "A1"}'
        assert (
            exchange.response == '{"name": "Konsult AB", "email": "***", "number": 7, "access_token": "***"}'
        )

    def test_also_of_a_call_without_an_answer(self) -> None:
        seen: list[Exchange] = []
        with serving(close) as server:
            failed(server, "POST", repeatable=False, observe=seen.append)
        assert [(one.status, one.error) for one in seen] == [(None, "RemoteProtocolError")]

    def test_an_observer_or_a_pacer_that_fails_does_not_lose_the_answer(self) -> None:
        class Failing(NoPacing):
            def after(self, status: int, headers: Any) -> None:
                raise RuntimeError("database gone")

        def observe(_exchange: Exchange) -> None:
            raise RuntimeError("database gone")

        with serving(answer(201)) as server, transport(server, pacer=Failing(), observe=observe) as one:
            assert one.send("POST", "/v1/x", repeatable=False).status_code == 201

    def test_persons_are_masked_wherever_they_stand(self) -> None:
        assert masked(
            {
                "createdBy": {"name": "Eva Ek", "guid": "g", "code": "101"},
                "customer": {"name": "Konsult AB"},
                "mainContact": {"name": "Eva Ek", "email": {"value": "eva@x.example"}, "phone1": "070"},
                "receiverContactName": "Eva Ek",
                "communicationType": {"name": "E-mail"},
                "value": "070",
                "notes": "call eva@x.example",
                "totalIncludingTax": {"amount": Decimal("1.10"), "currencyCode": "SEK"},
            }
        ) == {
            "createdBy": {"name": "***", "guid": "g", "code": "101"},
            "customer": {"name": "Konsult AB"},
            "mainContact": {"name": "***", "email": "***", "phone1": "***"},
            "receiverContactName": "***",
            "communicationType": {"name": "E-mail"},
            "value": "***",
            "notes": "call ***",
            "totalIncludingTax": {"amount": Decimal("1.10"), "currencyCode": "SEK"},
        }
        assert masked(
            [
                {"op": "Replace", "path": "/email", "value": "x"},
                {"op": "Replace", "path": "/number", "value": 7},
            ]
        ) == [
            {"op": "Replace", "path": "/email", "value": "***"},
            {"op": "Replace", "path": "/number", "value": 7},
        ]

    def test_bodies_are_cut_and_binary_ones_only_counted(self) -> None:
        assert len(masked_body(b'{"text":"' + b"x" * 9000 + b'"}', "application/json")) == 4096
        assert masked_body(b"%PDF\xff", "application/pdf") == "<5 bytes of application/pdf>"
        assert (
            masked_body(b"code=abc&grant_type=x", "application/x-www-form-urlencoded")
            == "code=***&grant_type=x"
        )
        assert masked_body(b"Bearer abcdefghijkl sent", "text/plain") == "*** sent"

    def test_the_log_of_the_http_library_stays_silent(self, caplog: pytest.LogCaptureFixture) -> None:
        logging.getLogger("httpx").setLevel(logging.DEBUG)
        with caplog.at_level(logging.DEBUG), serving(answer(200)) as server, transport(server) as one:
            one.send("GET", "/v1/x", repeatable=True, params={"email": "eva@x.example"})
        assert "eva" not in caplog.text
        assert "first-token" not in caplog.text

    def test_a_token_does_not_show_in_its_own_description(self) -> None:
        assert "first-token" not in repr(token())
