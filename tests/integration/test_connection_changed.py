"""A connection that a person changes takes effect in every process that runs, without a restart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import simplejson
from cryptography.fernet import Fernet
from road import Road, tenant_file
from stage import wait_for
from unit.connectors.local_server import LocalServer, answer, serving
from unit.connectors.transports import MovedClock, shown_by

from actors.recording import Recorder
from app import service
from app.clients import RECHECK_SECONDS, Connections
from app.settings import Settings
from app.tokens import StoredTokens
from connectors.signing_in import Token
from db import tenants
from db.pool import Database
from db.secrets import Secrets
from domain.errors import RateLimited, Unavailable
from domain.model import System

pytestmark = pytest.mark.services

BOTH: tuple[System, ...] = ("severa", "visma_net")

SIGNED_IN = simplejson.dumps(
    {
        "access_token": "good",
        "access_token_expires_in": 3600,
        "expires_in": 3600,
        "token_type": "Bearer",
        "scope": "",
    }
)
ROWS = answer(200, '[{"guid": "1", "name": "A"}]')


class House:
    """One tenant whose two systems are local servers, and the processes that work for it."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.secrets = Secrets([Fernet.generate_key().decode()])
        self.tenant_id = uuid4()
        self.processes: list[Connections] = []
        with db.tenant(self.tenant_id) as connection:
            tenants.add(connection, "one", "sv", "Europe/Stockholm")

    def connect(self, severa: LocalServer, secret: str = "first") -> None:  # noqa: S107 - a test's
        config = {"base_url": severa.url, "client_id": "us"}
        with self.db.tenant(self.tenant_id) as connection:
            tenants.put_connection(connection, "severa", config, self.secrets.seal(secret))

    def connect_erp(self, erp: LocalServer, company: str = "company") -> None:
        config = {
            "base_url": erp.url, "auth_url": erp.url, "client_id": "us", "kind": "service", "tenant_id": company,
        }  # fmt: skip
        with self.db.tenant(self.tenant_id) as connection:
            tenants.put_connection(connection, "visma_net", config, self.secrets.seal("s"))

    def process(self) -> Connections:
        made = Connections(
            self.db, self.secrets, Settings(severa_calls_per_second=1000), Recorder(), slot_share=1
        )
        self.processes.append(made)
        return made

    def read(self, process: Connections) -> None:
        process.severa(self.tenant_id).get("customers", "1")

    def revision(self) -> int:
        with self.db.tenant(self.tenant_id) as connection:
            return tenants.revisions(connection)["severa"]


@pytest.fixture
def house(db: Database) -> Iterator[House]:
    made = House(db)
    yield made
    for process in made.processes:
        process.close()


def reads(server: LocalServer) -> list[str]:
    return [request.headers["authorization"] for request in server.requests if request.method == "GET"]


def sign_ins(server: LocalServer) -> list[Any]:
    return [simplejson.loads(request.body) for request in server.requests if request.method == "POST"]


def vendor(token: str) -> Any:
    """Signs in with this token; answers everything else with a row."""

    def act(connection: Any) -> None:
        body = SIGNED_IN.replace("good", token) if server.requests[-1].method == "POST" else '{"guid": "1"}'
        answer(200, body)(connection)

    running = serving(act)
    server = running.__enter__()
    return running, server


@pytest.fixture
def addresses() -> Iterator[tuple[LocalServer, LocalServer]]:
    (old, old_server), (new, new_server) = vendor("old"), vendor("new")
    yield old_server, new_server
    old.__exit__(None, None, None)
    new.__exit__(None, None, None)


@pytest.mark.req("R-OPS-2")
class TestEveryProcess:
    def test_calls_the_new_address_from_its_next_delivery_on(
        self, house: House, addresses: tuple[LocalServer, LocalServer]
    ) -> None:
        old, new = addresses
        house.connect(old)
        one, other = house.process(), house.process()
        for process in (one, other):
            house.read(process)
        house.connect(new)
        for process in (one, other):
            process.refresh(house.tenant_id)
            house.read(process)
        assert reads(old) == ["Bearer old"] * 2
        assert reads(new) == ["Bearer new"] * 2

    def test_signs_in_with_the_new_secret(
        self, house: House, addresses: tuple[LocalServer, LocalServer]
    ) -> None:
        old, _ = addresses
        house.connect(old)
        process = house.process()
        house.read(process)
        house.connect(old, secret="second")
        process.refresh(house.tenant_id)
        house.read(process)
        assert [body["client_secret"] for body in sign_ins(old)] == ["first", "second"]

    def test_notices_it_in_the_middle_of_a_long_delivery_too(
        self, house: House, addresses: tuple[LocalServer, LocalServer]
    ) -> None:
        old, new = addresses
        house.connect(old)
        with shown_by(MovedClock()) as moved:
            process = house.process()
            client = process.severa(house.tenant_id)
            client.get("customers", "1")
            house.connect(new)
            moved.passed += RECHECK_SECONDS
            with pytest.raises(Unavailable, match="changed") as caught:
                client.get("customers", "1")
            assert not caught.value.costs_attempt
            house.read(process)
        assert (len(reads(old)), len(reads(new))) == (1, 1)

    def test_makes_no_call_on_an_old_client_that_somebody_still_holds(
        self, house: House, addresses: tuple[LocalServer, LocalServer]
    ) -> None:
        old, new = addresses
        house.connect(old)
        process = house.process()
        held = process.severa(house.tenant_id)
        held.get("customers", "1")
        house.connect(new)
        process.refresh(house.tenant_id)
        house.read(process)
        with pytest.raises(Unavailable, match="changed"):
            held.get("customers", "1")
        assert len(reads(old)) == 1

    def test_asks_nothing_when_nothing_can_have_changed_for_it(self, house: House) -> None:
        process = house.process()
        process.refresh(uuid4())
        process.refresh(house.tenant_id)

    def test_keeps_its_clients_while_nothing_changes(
        self, house: House, addresses: tuple[LocalServer, LocalServer]
    ) -> None:
        house.connect(addresses[0])
        process = house.process()
        first = process.severa(house.tenant_id)
        process.refresh(house.tenant_id)
        assert process.severa(house.tenant_id) is first

    def test_forgets_what_the_old_company_said_of_its_budget(self, house: House) -> None:
        limited = answer(429, "", Retry_After="1800")
        token = answer(200, SIGNED_IN)
        with (
            serving(token, limited) as old,
            serving(token, answer(200, '{"internalId": 1, "number": "1"}')) as new,
        ):
            house.connect_erp(old)
            process = house.process()
            with pytest.raises(RateLimited):
                process.erp(house.tenant_id).get("customer", "1")
            assert 1790 < self.paused_for(house) <= 1800
            house.connect_erp(new, company="another")
            assert self.paused_for(house) == 0
            process.refresh(house.tenant_id)
            process.erp(house.tenant_id).get("customer", "1")

    def paused_for(self, house: House) -> float:
        with house.db.tenant(house.tenant_id) as connection:
            stored = tenants.connection(connection, "visma_net")
        assert stored is not None
        return stored.paused_for


class TestATokenOfAnOlderState:
    def store(self, house: House) -> StoredTokens:
        with house.db.tenant(house.tenant_id) as connection:
            stored = tenants.connection(connection, "severa")
        assert stored is not None
        return StoredTokens(house.db, house.secrets, stored, lambda: None)

    def token(self, text: str) -> Token:
        return Token(text, datetime(2100, 1, 1, tzinfo=UTC), "", None)

    def test_is_not_kept_for_the_newer_one(
        self, house: House, addresses: tuple[LocalServer, LocalServer]
    ) -> None:
        house.connect(addresses[0])
        old = self.store(house)
        assert old.begin_refresh()
        house.connect(addresses[1])
        with pytest.raises(Unavailable, match="changed"):
            old.save(self.token("got with the old secret"))
        assert self.store(house).load() is None

    def test_and_the_newer_one_is_not_shown_to_who_knows_the_old_address_only(
        self, house: House, addresses: tuple[LocalServer, LocalServer]
    ) -> None:
        house.connect(addresses[0])
        old = self.store(house)
        house.connect(addresses[1])
        self.store(house).save(self.token("for the new address"))
        with pytest.raises(Unavailable, match="changed"):
            old.load()
        old.forget()
        kept = self.store(house).load()
        assert kept is not None
        assert kept.access_token == "for the new address"

    def test_a_sign_in_under_way_does_not_hold_up_the_newer_one(
        self, house: House, addresses: tuple[LocalServer, LocalServer]
    ) -> None:
        house.connect(addresses[0])
        old = self.store(house)
        assert old.begin_refresh()
        house.connect(addresses[1])
        new = self.store(house)
        assert new.begin_refresh()
        old.end_refresh()
        assert not new.begin_refresh()
        assert not old.begin_refresh()


class TestAPause:
    def paused(self, db: Database, tenant_id: UUID) -> tuple[float, float]:
        with db.tenant(tenant_id) as connection:
            row = connection.execute(
                "select extract(epoch from paused_until - bridge_now())::float8 as left from connection where tenant_id = %s",
                [tenant_id],
            ).fetchone()
            stored = tenants.connection(connection, "severa")
        assert row is not None
        assert stored is not None
        return row["left"], stored.paused_for

    def test_is_reckoned_by_the_databases_clock_and_never_shortened(
        self, house: House, addresses: tuple[LocalServer, LocalServer]
    ) -> None:
        house.connect(addresses[0])

        class Wrong(MovedClock):
            def wall(self) -> datetime:
                return datetime(2001, 1, 1, tzinfo=UTC)

        with shown_by(Wrong()):
            for seconds in (600.0, 30.0):
                with house.db.tenant(house.tenant_id) as connection:
                    tenants.pause_for(connection, "severa", seconds)
        left, shown = self.paused(house.db, house.tenant_id)
        assert 500 < left <= 600
        assert 500 < shown <= 600

    def test_that_is_over_is_replaced_by_a_short_one(
        self, house: House, addresses: tuple[LocalServer, LocalServer]
    ) -> None:
        house.connect(addresses[0])
        for seconds in (-600.0, 30.0):
            with house.db.tenant(house.tenant_id) as connection:
                tenants.pause_for(connection, "severa", seconds)
        left, _ = self.paused(house.db, house.tenant_id)
        assert left <= 30


@contextmanager
def moved_elsewhere(road: Road, system: System) -> Iterator[LocalServer]:
    """Another process stores another address for a while: this one is told nothing. The server there is always away."""
    bridge = road.installation.bridge
    with bridge.db.tenant(road.tenant_id) as connection:
        stored = tenants.connection(connection, system)
    assert stored is not None

    def put(config: Mapping[str, Any]) -> None:
        with bridge.db.tenant(road.tenant_id) as connection:
            tenants.put_connection(connection, system, config, stored.secret)

    with serving(answer(503)) as stranger:
        put({name: stranger.url if name.endswith("_url") else value for name, value in stored.config.items()})
        try:
            yield stranger
        finally:
            put(stored.config)


class TestOnTheRoad:
    def test_the_next_poll_goes_to_the_new_address(self, new_firm: Callable[..., Road]) -> None:
        road = new_firm()
        with moved_elsewhere(road, "severa") as stranger:
            road.forget_calls()
            road.poll()
            assert stranger.requests
            assert road.severa.calls() == {}
        road.settle()
        assert road.severa.calls() != {}

    def test_the_next_delivery_goes_to_the_new_address(self, new_firm: Callable[..., Road]) -> None:
        road = new_firm()
        road.add_customer("Flyttad AB", vatNumber="SE556222999301")
        with moved_elsewhere(road, "visma_net") as stranger:
            road.forget_calls()
            road.ask()
            wait_for("there is work", lambda: "customer" in [row[0] for row in road.work()], seconds=60)
            wait_for("polls and work went there", lambda: len(stranger.requests) > 2, seconds=60)
            assert road.erp.calls() == {}
        road.settle()
        assert road.erp.calls() != {}


@pytest.mark.req("R-SET-1")
def test_a_tenant_whose_key_is_lost_works_again_when_its_file_is_added(new_firm: Callable[..., Road]) -> None:
    road = new_firm()
    made = road.installation
    lost = Secrets([Fernet.generate_key().decode()])
    with made.bridge.db.tenant(road.tenant_id) as connection:
        for system in BOTH:
            stored = tenants.connection(connection, system)
            assert stored is not None
            tenants.put_connection(
                connection, system, stored.config, lost.seal("nobody can read this any more")
            )
    customer = road.add_customer("Nyckellös AB", vatNumber="SE556222999401")
    road.ask()
    wait_for("nothing is read", lambda: "poll.not_begun" in road.codes(), seconds=60)
    assert not service.add_tenant(made.bridge, tenant_file(road.name, road.firm, made.severa, made.erp))
    road.settle()
    assert road.erp.count("customer", name=customer["name"]) == 1
    assert road.codes() == []
