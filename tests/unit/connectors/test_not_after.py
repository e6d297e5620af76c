"""A permission ends on the wire: what was not whole before ``not_after`` is surely not made (docs/never-twice.md rule 5; S5, S21)."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from unit.connectors.local_server import LocalServer, answer, close, raw, serving, silent
from unit.connectors.transports import MovedClock, shown_by, token, transport

from connectors import wire
from connectors.endpoint import Conduct, Timeouts
from connectors.pacing import NoPacing, Purpose
from connectors.severa import SeveraAccess, SeveraClient
from connectors.signing_in import MemoryTokenStore, Token
from connectors.visma_net import VismaNetAccess, VismaNetClient
from domain import clock
from domain.errors import BridgeError, NotSent, OutcomeUnknown, Refused, SignInFailed, Unavailable

BODY = {"name": "Konsult AB"}


def refused_to_send(
    server: LocalServer, method: str = "POST", *, not_after: float = 30.0, **more: Any
) -> BridgeError:
    with transport(server, **more) as one, pytest.raises(BridgeError) as caught:
        one.send(method, "/v1/x", repeatable=method != "POST", json=BODY, not_after=not_after)
    return caught.value


class TestPastThePermission:
    @pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
    def test_paused_before_connecting_nobody_hears_of_it(self, method: str) -> None:
        with serving(answer(200)) as server, shown_by(MovedClock(31)):
            problem = refused_to_send(server, method)
            assert type(problem) is NotSent
            assert (problem.retry_after, problem.costs_attempt) == (0, False)
            assert server.connections == 0

    @pytest.mark.schedule("S5", "S6")
    @pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
    def test_paused_between_permission_and_headers_not_a_byte_goes_out(self, method: str) -> None:
        with serving(answer(200)) as server, shown_by(MovedClock(0, 30)):
            assert type(refused_to_send(server, method)) is NotSent
            assert server.ended.get(timeout=240) in ("closed", "reset")
            assert (server.connections, server.heads, server.requests) == (1, [], [])

    @pytest.mark.schedule("S21")
    @pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
    def test_paused_between_headers_and_body_the_request_is_never_whole(self, method: str) -> None:
        with serving(answer(200)) as server, shown_by(MovedClock(0, 29, 30)):
            assert type(refused_to_send(server, method)) is NotSent
            assert server.ended.get(timeout=240) == "reset"
            assert server.heads == [f"{method} /base/v1/x HTTP/1.1"]
            assert server.requests == []

    def test_a_multipart_body_too(self) -> None:
        with serving(answer(200)) as server, shown_by(MovedClock(0, 29, 30)), transport(server) as one:
            with pytest.raises(NotSent):
                one.send(
                    "POST",
                    "/v1/x",
                    repeatable=False,
                    files={"file": ("a.pdf", b"%PDF", "application/pdf")},
                    not_after=30,
                )
            assert server.ended.get(timeout=240) == "reset"
            assert server.requests == []

    def test_a_request_without_a_body_is_whole_with_its_head_and_its_answer_counts(self) -> None:
        with serving(answer(204)) as server, shown_by(MovedClock(0, 29, 30)), transport(server) as one:
            assert one.send("DELETE", "/v1/x", repeatable=True, not_after=30).status_code == 204
            assert len(server.requests) == 1

    def test_and_before_its_head_it_is_not_sent_like_any_other(self) -> None:
        with serving(answer(204)) as server, shown_by(MovedClock(0, 30)), transport(server) as one:
            with pytest.raises(NotSent):
                one.send("DELETE", "/v1/x", repeatable=True, not_after=30)
            assert server.ended.get(timeout=240)
            assert server.heads == []

    def test_on_a_kept_connection_as_well(self) -> None:
        with serving(answer(200, "{}")) as server, shown_by(MovedClock()) as moved:
            kept = wire.Wire()
            request = httpx.Request("POST", f"{server.url}/v1/x", content=b"{}")
            kept.exchange(request, wire.Progress(60, 10), largest=1000, alone=False)
            moved.looks = [0, 0, 30]
            with pytest.raises(wire.Late):
                kept.exchange(request, wire.Progress(60, 10, not_after=30), largest=1000, alone=False)
            assert server.ended.get(timeout=240)
            kept.close()
            assert (server.connections, len(server.heads), len(server.requests)) == (1, 2, 1)

    @pytest.mark.schedule("S23")
    def test_after_a_sign_in_that_took_too_long(self) -> None:
        with serving(answer(200)) as server, shown_by(MovedClock()) as moved:

            def sign_in(_stored: Token | None) -> Token:
                moved.seconds += 290
                return token("late")

            assert type(refused_to_send(server, tokens=MemoryTokenStore(), sign_in=sign_in)) is NotSent
            assert server.connections == 0

    @pytest.mark.schedule("S23")
    def test_after_pacing_that_took_too_long(self) -> None:
        with serving(answer(200)) as server, shown_by(MovedClock()) as moved:

            class Slow(NoPacing):
                def before(self, purpose: Purpose) -> None:
                    moved.seconds += 290

            assert type(refused_to_send(server, pacer=Slow())) is NotSent
            assert server.connections == 0


class TestUnderAPermission:
    def test_in_time_it_is_a_call_like_any_other(self) -> None:
        with serving(answer(201, "{}")) as server, transport(server) as one:
            given = one.send("POST", "/v1/x", repeatable=False, json=BODY, not_after=clock.boot() + 600)
            assert given.status_code == 201
            assert server.requests[0].body == b'{"name": "Konsult AB"}'
            assert server.ended.get(timeout=240) == "closed"

    def test_it_has_a_connection_of_its_own_whatever_its_verb(self) -> None:
        with serving(answer(200, "{}")) as server, transport(server) as one:
            one.send("GET", "/v1/x", repeatable=True)
            for method in ("PATCH", "DELETE", "PUT"):
                one.send(method, "/v1/x", repeatable=True, not_after=clock.boot() + 600)
            one.send("GET", "/v1/x", repeatable=True)
            assert [request.connection for request in server.requests] == [1, 2, 3, 4, 1]

    @pytest.mark.parametrize(
        "act", [close, silent, answer(500), answer(302), raw(b"HTTP/1.1 200 OK\r\nX: ", end=True)]
    )
    def test_what_got_no_answer_is_unknown_also_for_a_patch(self, act: Any) -> None:
        with serving(act) as server:
            problem = refused_to_send(server, "PATCH", not_after=clock.boot() + 600, read_timeout=1.0)
            assert isinstance(problem, OutcomeUnknown)
            assert len(server.requests) == 1

    def test_what_never_connected_was_surely_not_made(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert isinstance(
            refused_to_send(LocalServer([], url=url), not_after=clock.boot() + 600), Unavailable
        )

    def test_without_an_answer_the_connection_is_reset_so_that_nothing_follows(self) -> None:
        with serving(silent_but_listening) as server:
            refused_to_send(server, "PATCH", not_after=clock.boot() + 600, read_timeout=0.5)
            assert server.ended.get(timeout=240) == "reset"

    def test_a_refusal_is_a_no(self) -> None:
        with serving(answer(400, '{"message": "because"}')) as server:
            problem = refused_to_send(server, "PATCH", not_after=clock.boot() + 600)
            assert type(problem) is Refused

    @pytest.mark.schedule("S22")
    @pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the platform has no such option")
    def test_the_kernel_gives_up_after_ten_seconds_and_resets_what_is_left(self) -> None:
        seen: list[tuple[int, bytes]] = []

        real = wire._content

        def looking(given: Any, *rest: Any) -> bytes:
            connection = given.extensions["network_stream"].get_extra_info("socket")
            seen.append(
                (
                    connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT),
                    connection.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8),
                )
            )
            return real(given, *rest)

        with serving(answer(200)) as server, transport(server) as one, pytest.MonkeyPatch.context() as patch:
            patch.setattr(wire, "_content", looking)
            one.send("PATCH", "/v1/x", repeatable=True, json=BODY, not_after=clock.boot() + 600)
        assert seen == [(10_000, b"\1\0\0\0\0\0\0\0")]


def silent_but_listening(connection: socket.socket) -> None:
    """Answers nothing; a reset of the other side is raised."""
    connection.settimeout(60)
    if connection.recv(1) == b"":
        return


class TestARefusedToken:
    def test_begins_anew_with_a_fresh_token_instead_of_sending_twice(self) -> None:
        with serving(answer(401), answer(201, "{}")) as server, transport(server) as one:
            with pytest.raises(NotSent):
                one.send("POST", "/v1/x", repeatable=False, json=BODY, not_after=clock.boot() + 600)
            assert len(server.requests) == 1
            one.send("POST", "/v1/x", repeatable=False, json=BODY, not_after=clock.boot() + 600)
            assert [request.headers["authorization"] for request in server.requests] == [
                "Bearer first-token",
                "Bearer second-token",
            ]

    def test_and_when_the_fresh_one_is_refused_too_the_sign_in_has_failed(self) -> None:
        with serving(answer(401)) as server, transport(server) as one:
            outcomes = []
            for _ in range(2):
                with pytest.raises(BridgeError) as caught:
                    one.send("POST", "/v1/x", repeatable=False, json=BODY, not_after=clock.boot() + 600)
                outcomes.append(type(caught.value))
            assert outcomes == [NotSent, SignInFailed]
            assert len(server.requests) == 2

    def test_a_token_that_worked_may_be_refused_once_more_later(self) -> None:
        with serving(answer(401), answer(200), answer(401)) as server, transport(server) as one:
            outcomes: list[str] = []
            for _ in range(3):
                try:
                    one.send("PATCH", "/v1/x", repeatable=True, json=BODY, not_after=clock.boot() + 600)
                    outcomes.append("done")
                except BridgeError as error:
                    outcomes.append(type(error).__name__)
            assert outcomes == ["NotSent", "done", "NotSent"]

    def test_a_sign_in_that_fails_says_so(self) -> None:
        def refuse(_stored: Token | None) -> Token:
            raise SignInFailed(system="severa", reason="wrong_secret")

        with serving(answer(401)) as server:
            problem = refused_to_send(server, not_after=clock.boot() + 600, sign_in=refuse)
            assert isinstance(problem, SignInFailed)


def test_the_permission_is_looked_at_after_the_handshake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(certificate)
    ours = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(wire, "_tls", lambda: ours)
    shaken = threading.Event()

    def wrap(connection: socket.socket) -> socket.socket:
        wrapped = theirs.wrap_socket(connection, server_side=True)
        shaken.set()
        return wrapped

    with serving(answer(200, "{}"), wrap=wrap) as server, shown_by(MovedClock()) as moved:
        server.url = server.url.replace("http:", "https:")
        with transport(server) as one:
            assert one.send("POST", "/v1/x", repeatable=False, json=BODY, not_after=30).status_code == 200
            shaken.clear()
            moved.looks = [0, 30]
            with pytest.raises(NotSent):
                one.send("POST", "/v1/x", repeatable=False, json=BODY, not_after=30)
        assert shaken.wait(240)
        assert len(server.heads) == 1


def self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "one.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


SEVERA_WRITES: dict[str, Callable[[Any, float], object]] = {
    "create": lambda api, until: api.create("customers", {"name": "A"}, not_after=until),
    "create below": lambda api, until: api.create("customers/addresses", {}, parent="c", not_after=until),
    "patch": lambda api, until: api.patch("customers", "1", {"/name": "A"}, not_after=until),
    "upload": lambda api, until: api.upload("p", "a.pdf", "", b"%PDF", not_after=until),
}
ERP_WRITES: dict[str, Callable[[Any, float], object]] = {
    "create": lambda api, until: api.create("customer", {"name": {"value": "A"}}, not_after=until),
    "update": lambda api, until: api.update(
        "customer", "1", {"name": {"value": "A"}}, etag='"1"', not_after=until
    ),
    "delete": lambda api, until: api.delete("customerinvoice", "1", not_after=until),
    "act": lambda api, until: api.act("customerinvoice", "1", "release", {}, not_after=until),
    "attach": lambda api, until: api.attach("customerinvoice", "1", "a.pdf", b"%PDF", not_after=until),
}


class TestEveryWriteOfBothSystems:
    """Takes a permission and keeps to it: neither a byte after its end, nor a wrong word for what was not answered."""

    @contextmanager
    def client(self, system: str, url: str) -> Iterator[Any]:
        conduct = Conduct(
            tokens=MemoryTokenStore(token()), pacer=NoPacing(), timeouts=Timeouts(read=30, create=30)
        )
        made: Any = (
            SeveraClient(SeveraAccess(url, "us", "secret"), conduct)
            if system == "severa"
            else VismaNetClient(VismaNetAccess(url, url, "service", "us", "secret", "company"), conduct)
        )
        yield made
        made.close()

    @pytest.mark.parametrize(
        ("system", "write"),
        [
            *[pytest.param("severa", write, id=f"severa {name}") for name, write in SEVERA_WRITES.items()],
            *[pytest.param("visma_net", write, id=f"erp {name}") for name, write in ERP_WRITES.items()],
        ],
    )
    def test_one_after_the_other(self, system: str, write: Callable[[Any, float], object]) -> None:
        with serving(close) as server, self.client(system, server.url) as client:
            with shown_by(MovedClock(0, 30)), pytest.raises(NotSent):
                write(client, 30)
            assert server.ended.get(timeout=240)
            assert server.heads == []
            with pytest.raises(OutcomeUnknown):
                write(client, clock.boot() + 600)
            assert len(server.requests) == 1

    @pytest.mark.parametrize(
        "act",
        [
            answer(200, "<html>Maintenance</html>", Content_Type="text/html"),
            answer(404, "<html>no such host</html>", Content_Type="text/html"),
            answer(200, "null"),
            answer(503),
        ],
    )
    @pytest.mark.parametrize(
        ("system", "write"),
        [
            *[pytest.param("severa", write, id=f"severa {name}") for name, write in SEVERA_WRITES.items()],
            *[pytest.param("visma_net", write, id=f"erp {name}") for name, write in ERP_WRITES.items()],
        ],
    )
    def test_what_was_not_understood_is_an_unknown_outcome(
        self, system: str, write: Callable[[Any, float], object], act: Any
    ) -> None:
        with serving(act) as server, self.client(system, server.url) as client:
            with pytest.raises(OutcomeUnknown):
                write(client, clock.boot() + 600)
            assert [head.split()[0] for head in server.heads].count("GET") == len(server.heads) - 1
