"""What the interleaved transactions are about: one invoice at work, another record that is to be joined into it, and every
transaction of the heart that may meet there; and the judge of what they leave behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import dict_row
from services import Database

from db import attempts, claim, leaving, matters, outbox, streams, tenants
from db.claim import Asked, Claimed, Done
from db.outbox import Taken
from db.streams import DuePoll
from db.tenant import DispatchDb, TenantDb
from domain.errors import LeaseLost
from domain.model import DOMAINS, Document
from isolation.statements import Connection, Gate, Run, Session

START = UUID(int=0)
LEASE = 60.0
ASKED = Asked("create", 2, {"customer": "10001"}, 30.0, 240.0, 300.0, "Invoice", "second")

# Truncating costs files, each time.
_EMPTY = """
delete from step; delete from attempt; delete from document; delete from need; delete from outbox; delete from problem;
delete from matter
"""
# Time passes only when a run says so.
_CLOCK = """
create table passed (seconds double precision not null);
insert into passed values (0);
grant select, update on passed to public;
create or replace function bridge_now() returns timestamptz language sql volatile parallel safe as
    $$ select timestamptz '2026-11-20 12:00:00+00' + (select seconds from passed) * interval '1 second' $$;
"""


@dataclass(slots=True)
class Scene:
    """``matter``'s invoice is being settled by ``worker`` (who has asked for a document), its payment is ``out``; so is the
    work of ``other``, which stands for the ERP side alone. ``over``: the worker's lease has run out."""

    tenant_id: UUID
    matter: UUID
    other: UUID
    worker: Claimed
    payment: Taken
    others: Taken
    poll: DuePoll
    over: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A row of work as it stands at the end."""

    domain: str
    matter: UUID
    state: str
    token: UUID | None
    generation: int


class Theatre:
    """One database for all runs; a connection per session and role."""

    def __init__(self, database: Database) -> None:
        self._url = database.app_url
        self.owner: Connection = psycopg.connect(database.owner_url, autocommit=True, row_factory=dict_row)
        self.watch = psycopg.connect(database.owner_url, autocommit=True)
        self.owner.execute(_CLOCK)
        # A deadlock is a finding: it shall not take a second each time.
        self.owner.execute(f"alter database \"{database.name}\" set deadlock_timeout = '20ms'")
        self.owner.execute("set synchronous_commit = off")
        self.tenant_id = uuid4()
        self._connections: dict[tuple[str, int], Connection] = {}
        db = TenantDb(self.owner, self.tenant_id)
        tenants.add(db, "one", "sv", "Europe/Stockholm")
        tenants.put_connection(db, "severa", {"base_url": "http://x"}, b"sealed")
        tenants.set_state(db, "live")

    def close(self) -> None:
        for connection in (*self._connections.values(), self.owner, self.watch):
            connection.close()

    def connection(self, role: str, number: int) -> Connection:
        """The ``number``-th of a role; for the application it sees this tenant."""
        if (role, number) not in self._connections:
            made: Connection = psycopg.connect(self._url, row_factory=dict_row)
            made.execute(f"set role {role}")
            made.execute("select set_config('app.tenant', %s, false)", [str(self.tenant_id)])
            made.commit()
            self._connections[role, number] = made
        return self._connections[role, number]

    # ------------------------------------------------------------ before a run

    def set_up(self, *, over: bool, polled: bool = False) -> Scene:
        """The same state before every run. ``polled``: no poll is under way, and the connection is due."""
        with self.owner.transaction():
            self.owner.execute(_EMPTY)
            self.owner.execute("update passed set seconds = 0")
            self.owner.execute("update tenant set state = 'live'")
            self.owner.execute(
                "update connection set poll_token = null, poll_lease_until = null, next_poll_at = bridge_now()"
            )
            db = TenantDb(self.owner, self.tenant_id)
            mine = matters.meet(db, "invoice", "severa", "invoices", [("a", "1")])["a"]
            other = matters.meet(db, "invoice", "visma_net", "customerdocument", [("Invoice/9", "9")])
            self._announce(db, "invoice", mine)
            [taken] = self._take()
            worker = claim.claim(db, taken.id, taken.generation, uuid4(), LEASE)
            assert worker is not None
            attempts.start(db, worker, "first")
            first = Asked("create", 1, {}, 30.0, 240.0, 300.0, "Invoice", "first")
            claim.begin(db, worker, first, lease=LEASE)
            self._announce(db, "invoice", other["Invoice/9"])
            [others] = self._take()
            # Its message goes out while nobody works on the matter; it arrives while somebody does.
            self.owner.execute("update matter set lease_until = '-infinity' where id = %s", [mine])
            self._announce(db, "payment", mine)
            [payment] = self._take()
            left = -1.0 if over else LEASE
            self.owner.execute(
                "update matter set lease_until = bridge_now() + %s * interval '1 second' where id = %s",
                [left, mine],
            )
            [poll] = streams.due(DispatchDb(self.owner), uuid4(), lease=LEASE, limit=9)
            if polled:
                streams.ended(db, poll, complete=True, changes=0, wait=0.0, error=None)
        return Scene(self.tenant_id, mine, other["Invoice/9"], worker, payment, others, poll, over)

    def _take(self) -> list[Taken]:
        db = DispatchDb(self.owner)
        return outbox.take(db, domains=DOMAINS, window=9, per_tenant=9, after=START, lease=LEASE)

    @staticmethod
    def _announce(db: TenantDb, domain: str, matter: UUID) -> None:
        outbox.announce(db, domain, [matter], cause="changed", system="severa", register="invoices")

    # ------------------------------------------------------------ the sessions of a run

    def sessions(self, scene: Scene, names: Mapping[str, str]) -> list[Session]:
        """Name of the session → name of its transaction."""
        made = []
        for number, (name, transaction) in enumerate(names.items()):
            role = "bridge_dispatch" if transaction in DISPATCH else "bridge_app"
            made.append(
                Session(name, self.connection(role, number), _work(scene, TRANSACTIONS[transaction], role))
            )
        return made

    # ------------------------------------------------------------ after it

    def rows(self) -> list[Row]:
        found = self.owner.execute("select domain, matter_id, state, token, generation from outbox")
        return [Row(*row.values()) for row in found]

    def one(self, query: str, *values: Any) -> Any:
        row = self.owner.execute(query.encode(), values).fetchone()
        return next(iter(row.values())) if row else None


def _work(scene: Scene, transaction: Callable[[Any, Scene], Any], role: str) -> Callable[[Gate], Any]:
    if role == "bridge_dispatch":
        return lambda gate: transaction(DispatchDb(gate), scene)  # type: ignore[arg-type]
    return lambda gate: transaction(TenantDb(gate, scene.tenant_id), scene)  # type: ignore[arg-type]


# ---------------------------------------------------------------- the transactions, as the processes make them


def announce(db: TenantDb, scene: Scene) -> Any:
    return outbox.announce(
        db, "invoice", [scene.matter], cause="changed", system="severa", register="invoices"
    )


def announce_other(db: TenantDb, scene: Scene) -> Any:
    """In two steps, as a page does: the record's matter is looked up, and work for it announced (S33)."""
    found = matters.find(db, "invoice", erp_id="Invoice/9")
    wanted = [scene.other if found is None else found.id]
    return outbox.announce(
        db, "payment", wanted, cause="changed", system="visma_net", register="customerdocument"
    )


def take(db: DispatchDb, scene: Scene) -> Any:
    return outbox.take(db, domains=DOMAINS, window=9, per_tenant=9, after=START, lease=LEASE)


def reap(db: DispatchDb, scene: Scene) -> Any:
    return outbox.reap(db)


def _claim(db: TenantDb, taken: Taken) -> Claimed | None:
    row = claim.claim(db, taken.id, taken.generation, uuid4(), LEASE)
    if row is not None:
        attempts.start(db, row, "second")
        claim.steps(db, row)
    return row


def claim_payment(db: TenantDb, scene: Scene) -> Any:
    return _claim(db, scene.payment)


def claim_other(db: TenantDb, scene: Scene) -> Any:
    return _claim(db, scene.others)


def begin(db: TenantDb, scene: Scene) -> Any:
    return claim.begin(db, scene.worker, ASKED, lease=LEASE)


def done(db: TenantDb, scene: Scene) -> Any:
    told = Done("create", 1, {"type": "Invoice", "number": "7"}, "first")
    claim.record(db, scene.worker, [told])


def finish(db: TenantDb, scene: Scene) -> Any:
    again = claim.hold(db, scene.worker)
    if again is None:
        raise LeaseLost
    outbox.wake(db, [scene.matter])
    claim.finish(db, scene.worker, again=again)
    claim.give_back(db, scene.worker)
    return again


def join(db: TenantDb, scene: Scene) -> Any:
    if claim.hold(db, scene.worker) is None:
        raise LeaseLost
    return matters.join(db, scene.matter, scene.other)


def join_busy(db: TenantDb, scene: Scene) -> Any:
    """The other way round: nobody may join a matter that somebody works on, or that has an unanswered call."""
    return matters.join(db, scene.other, scene.matter)


def decide(db: TenantDb, scene: Scene) -> Any:
    decided = matters.decide(db, scene.matter, scene.worker.matter_generation, {"kind": "make"})
    outbox.retry(db, "invoice", scene.matter)
    return decided


def adopt(db: TenantDb, scene: Scene) -> Any:
    found = Document("Invoice", "8", "", "made")
    assert claim.adopt(db, scene.worker, found, lease=LEASE)
    return claim.claim_document(db, scene.worker, "Invoice", "8", lease=LEASE)


def leave(db: TenantDb, scene: Scene) -> Any:
    return leaving.leave(db)


def page(db: TenantDb, scene: Scene) -> Any:
    """A page of a poll: under its lease, with what it announces."""
    anchor = streams.hold(db, scene.poll, LEASE)
    if anchor is None:
        raise LeaseLost
    return announce(db, scene)


def braked(db: TenantDb, scene: Scene) -> Any:
    """The last page of a poll that the brake stops."""
    if streams.hold(db, scene.poll, LEASE) is None:
        raise LeaseLost
    tenants.pause_domains(db, ["customer"])


def foreign(db: TenantDb, scene: Scene) -> Any:
    """A delivery that meets somebody else's marker fails and pauses the tenant; what its matter needed is looked at."""
    if claim.hold(db, scene.worker) is None:
        raise LeaseLost
    announce_other(db, scene)
    claim.fail(db, scene.worker, "failed")
    tenants.set_state(db, "paused")
    claim.give_back(db, scene.worker)


def due(db: DispatchDb, scene: Scene) -> Any:
    return streams.due(db, uuid4(), lease=LEASE, limit=9)


def lease_ends(db: TenantDb, scene: Scene) -> Any:
    """Not a transaction of the bridge: an hour passes."""
    db.execute("update passed set seconds = 3600")


DISPATCH = {"take", "reap", "due"}
TRANSACTIONS: Mapping[str, Callable[[Any, Scene], Any]] = {
    one.__name__: one
    for one in (
        announce, announce_other, take, reap, claim_payment, claim_other, begin, done, finish, join, join_busy,
        decide, adopt, leave, page, braked, foreign, due, lease_ends,
    )
}  # fmt: skip


# ---------------------------------------------------------------- the judge


def judge(theatre: Theatre, scene: Scene, run: Run) -> None:
    """Raises AssertionError with the order in which everything happened."""
    wrong = [
        *_errors(run),
        *_mutex(theatre),
        *_nothing_lost(theatre, scene, run),
        *_monotone(theatre, scene),
        *_counts(theatre, run),
        *_fences(scene, run),
    ]
    assert not wrong, "\n".join([*wrong, "in this order:", run.told()])


def _errors(run: Run) -> list[str]:
    return [
        f"{one.name} ended with {one.error!r}"
        for one in run.sessions
        if one.error is not None and not isinstance(one.error, LeaseLost)
    ]


def _mutex(theatre: Theatre) -> list[str]:
    """One document that may be released; one row at work, under the token of its matter; nothing at a joined matter."""
    wrong = []
    if theatre.one(
        "select count(*) from (select from document where state in ('claimed', 'released') group by matter_id"
        " having count(*) > 1) as d"
    ):
        wrong.append("two documents of a matter may be released")
    started = [row for row in theatre.rows() if row.state == "started"]
    if len({row.matter for row in started}) < len(started):
        wrong.append("two rows of a matter are started")
    held = {
        row["id"]: row["token"]
        for row in theatre.owner.execute("select id, token from matter where token is not null")
    }
    if held != {row.matter: row.token for row in started}:
        wrong.append(f"leases {held} and started rows {started} do not fit together")
    if theatre.one(
        "select count(*) from matter m where joined_into is not null and (token is not null"
        " or exists (select from outbox o where o.matter_id = m.id))"
    ):
        wrong.append("a matter that was joined has work or a lease")
    return wrong


def _nothing_lost(theatre: Theatre, scene: Scene, run: Run) -> list[str]:
    """All work that was there or was announced still is, but for what was finished and not announced again."""
    into = dict.fromkeys((scene.matter, scene.other), scene.matter)
    joined = theatre.one("select joined_into from matter where id = %s", scene.other)
    if joined is None:
        into[scene.other] = scene.other
    wanted = {("invoice", scene.matter), ("payment", scene.matter), ("invoice", into[scene.other])}
    if run.succeeded("finish"):
        wanted.discard(("invoice", scene.matter))
        moved = joined is not None
        if run.succeeded("announce") or moved:
            wanted.add(("invoice", scene.matter))
    if run.succeeded("announce_other"):
        wanted.add(("payment", into[scene.other]))
    there = {(row.domain, row.matter) for row in theatre.rows()}
    return [f"lost: {wanted - there}"] if wanted - there else []


def _monotone(theatre: Theatre, scene: Scene) -> list[str]:
    generation = theatre.one("select generation from matter where id = %s", scene.matter)
    wrong = [] if generation >= scene.worker.matter_generation else ["the matter's generation went back"]
    for taken in (scene.payment, scene.others):
        now = theatre.one("select generation from outbox where id = %s", taken.id)
        if now is not None and now < taken.generation:
            wrong.append("a row's generation went back")
    return wrong


def _counts(theatre: Theatre, run: Run) -> list[str]:
    """As many documents, calls and attempts as there were permitted ones."""
    wrong = []
    begun, adopted = run.succeeded("begin"), run.succeeded("adopt")
    if theatre.one("select count(*) from document") != 1 + begun + adopted:
        wrong.append("documents and permitted creates do not agree")
    calls = 1 + begun - run.succeeded("done")
    if theatre.one("select count(*) from step where sent_at is not null and done_at is null") != calls:
        wrong.append("open calls and permitted ones do not agree")
    claims = sum(one.error is None and isinstance(one.result, Claimed) for one in run.sessions)
    if theatre.one("select count(*) from attempt") != 1 + claims:
        wrong.append("attempts and claims do not agree")
    if run.succeeded("done") and theatre.one("select number from document where nonce = 'first'") != "7":
        wrong.append("the number that an answer told is not kept")
    return wrong


def _fences(scene: Scene, run: Run) -> list[str]:
    """What needs the worker's lease succeeds exactly while it is his."""
    wrong = []
    ended = min(
        [
            run.at(name, "commit")
            for name in ("finish", "reap")
            if run.at(name, "commit") >= 0 and _freed(scene, run, name)
        ]
        + [run.at("claim_payment", "commit") for _ in "x" if _claimed(run)]
        or [len(run.events)]
    )
    passed = run.at("lease_ends", "commit")
    for name in ("begin", "adopt"):
        if run.session(name) is None:
            continue
        permitted = run.at(name, "claim.permit")
        if permitted < 0:
            wrong.append(f"{name} asked for no permission")
            continue
        may = permitted < ended and not scene.over and not 0 <= passed < permitted
        if run.succeeded(name) is not may:
            wrong.append(f"{name} was {'refused' if may else 'permitted'}")
    if run.session("decide") is not None and run.succeeded("decide"):
        decided = run.sessions[[one.name for one in run.sessions].index("decide")].result
        if decided and run.at("decide", "matters.decide") < ended:
            wrong.append("a decision was kept while somebody works on the matter")
    busy = run.session("join_busy")
    if busy is not None and busy.error is None and busy.result is None:
        wrong.append("a matter with an unanswered call was joined into another one")
    return wrong


def _freed(scene: Scene, run: Run, name: str) -> bool:
    if name == "finish":
        return run.succeeded("finish")
    return scene.over or 0 <= run.at("lease_ends", "commit") < run.at("reap", "claim.reap")


def _claimed(run: Run) -> bool:
    one = run.session("claim_payment")
    return one is not None and isinstance(one.result, Claimed)
