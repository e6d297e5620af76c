"""Every statement that permits an effect carries its guard, and every one that records one names the token: read from the
SQL itself, so that a new statement without a fence fails before any schedule finds it (docs/never-twice.md rule 4)."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import db
import domain
from db.sql import SQL

WRITING = re.compile(r"(?<!for )\b(insert into|update|delete from)\b", re.IGNORECASE)
PERMIT = (
    "m.token = %(token)s",
    "m.generation = ",
    "m.epoch = bridge_epoch()",
    "m.lease_until > bridge_now()",
)

# A worker's statements by what they are. Those that follow a permit in its transaction need no guard of their own.
AFTER_A_PERMIT = {
    "asked", "retire", "adopt", "known", "returned", "no_gap", "claim", "drop",
}  # fmt: skip
# By what nobody else can know: the nonce of the own POST.
BY_NONCE = {"made", "unmade"}
# Facts of the matter, true whoever holds it.
FACTS = {"book", "released"}
# In the transaction that ends an attempt, after its lock and its check of the token.
ENDING = {"forget_key", "make_due"}
# Not a worker's: the claim itself by generation, the dispatcher by lease, the start of the one embedded process.
CLAIMING = {"start", "lease", "supersede", "refuse"}
DISPATCH = {"reap", "reap_messages", "reset", "reset_rows"}


def writing(group: str) -> dict[str, str]:
    """The statements of a group that write, without their comments."""
    found = {}
    for name, text in SQL.items():
        bare = re.sub(r"--.*", "", text)
        if name.startswith(f"{group}.") and WRITING.search(bare):
            found[name.partition(".")[2]] = bare
    return found


def test_the_permit_names_token_generation_epoch_and_lease() -> None:
    permit = SQL["claim.permit"]
    assert [one for one in PERMIT if one not in permit] == []


def test_every_other_statement_of_a_worker_names_the_token_or_stands_behind_one_that_does() -> None:
    excused = AFTER_A_PERMIT | BY_NONCE | FACTS | ENDING | CLAIMING | DISPATCH | {"permit"}
    bare = {name for name, text in writing("claim").items() if "token = %(token)s" not in text} - excused
    assert bare == set()


def test_no_excuse_outlives_its_statement() -> None:
    known = set(writing("claim"))
    assert (AFTER_A_PERMIT | BY_NONCE | FACTS | ENDING | CLAIMING | DISPATCH) - known == set()


@pytest.mark.parametrize("name", sorted(BY_NONCE))
def test_what_goes_by_the_nonce_names_it(name: str) -> None:
    assert "nonce = %(nonce)s" in writing("claim")[name]


def test_steps_are_written_on_the_own_attempt_or_where_they_are_unanswered() -> None:
    for name in ("begin_step", "end_step", "undo_step"):
        text = writing("attempts")[name]
        assert "%(attempt_id)s" in text
        assert "tenant_id" in text


ONCE = {"create", "upload", "delete", "act", "attach"}
# Matters and documents are written without a token here, and nowhere else: by whom, and behind what.
UNHELD = {
    "installation.reachable_matters": "the relay, when PostgreSQL's clock stepped back: an end only comes nearer",
    "leaving.reap": "the relay and an erasure: leases that are over",
    "matters.decide": "a person, of a matter that nobody holds",
    "matters.join": "a worker that holds the one and finds the other free",
    "matters.join_sent": "the same transaction",
    "matters.meet_erp": "whoever announces: a row that was not there",
    "matters.meet_severa": "whoever announces: a row that was not there",
    "matters.put": "the transaction that ends a delivery, after its lock and its check of the token",
}


def test_outside_the_claim_no_matter_and_no_document_is_written_without_its_token() -> None:
    writes = re.compile(r"\b(update|insert into)\s+(matter|document)\b", re.IGNORECASE)
    bare = {name: re.sub(r"--.*", "", text) for name, text in SQL.items() if not name.startswith("claim.")}
    assert {
        name for name, text in bare.items() if writes.search(text) and "token = %(token)s" not in text
    } == set(UNHELD)


def test_whatever_a_domain_makes_removes_or_moves_goes_under_a_permission_of_its_own() -> None:
    """Changes of registers get their time from what the delivery hands out (actors/until.py); these would get none."""
    bare = []
    for path in sorted(Path(domain.__path__[0]).rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
                continue
            of = ast.unparse(call.func.value).rpartition(".")[2]
            once = of in ("erp", "severa") and call.func.attr in ONCE
            if once and "not_after" not in {one.arg for one in call.keywords}:
                bare.append(f"{path.name}:{call.lineno}")
    assert bare == []


def test_nothing_of_a_matter_or_a_document_is_ever_deleted() -> None:
    deleting = {
        name
        for name, text in SQL.items()
        if re.search(r"delete from (matter|document|step)\b", re.sub(r"--.*", "", text))
    }
    assert deleting == set()


# Over all tenants, in a dispatch transaction; ``now`` and the group ``installation`` are about nobody's rows.
OVER_ALL = {
    "claim.reap", "claim.reap_messages", "claim.reset", "claim.reset_rows", "leaving.erasures", "log.open_problems_of",
    "outbox.take", "outbox.claims", "outbox.unfinished", "outbox.unfinished_by", "outbox.counts", "streams.due", "streams.ask_all",
    "streams.checked", "streams.unchecked", "streams.now", "tenants.all", "tenants.by_name",
}  # fmt: skip


def test_every_statement_names_the_tenant_of_its_transaction() -> None:
    """By the one name that the transaction itself gives: under another name a caller could give another tenant."""
    missing = {
        name
        for name, text in SQL.items()
        if "%(tenant_id)s" not in re.sub(r"--.*", "", text) and not name.startswith("installation.")
    }
    assert missing == OVER_ALL


def repository() -> Iterator[tuple[str, list[inspect.Parameter]]]:
    """Every function of ``db`` and every method of its classes, with its parameters; of a method without ``self``."""
    for module in pkgutil.iter_modules(db.__path__, "db."):
        inside = importlib.import_module(module.name)
        own = [one for one in vars(inside).values() if getattr(one, "__module__", "") == module.name]
        methods = [made for one in own if inspect.isclass(one) for made in vars(one).values()]
        for made in filter(inspect.isfunction, own + methods):
            parameters = list(inspect.signature(made).parameters.values())
            yield f"{module.name}.{made.__qualname__}", parameters[made in methods :]


def test_no_function_of_a_tenants_transaction_is_told_the_tenant() -> None:
    """The connection says who is meant. Only a dispatch transaction names tenants, and a function that does is typed so."""
    taking: dict[str, set[str]] = {}
    for name, parameters in repository():
        kind = str(parameters[0].annotation).strip("'").rpartition(".")[2] if parameters else ""
        if kind in {"TenantDb", "DispatchDb", "Connection"}:
            taking.setdefault(kind, set()).add(name)
            if any(one.name == "tenant_id" for one in parameters):
                taking.setdefault(f"{kind} and tenant_id", set()).add(name)
    assert len(taking["TenantDb"]) > 100, "the functions were not found"
    assert taking.get("TenantDb and tenant_id", set()) == set()
    assert taking["DispatchDb and tenant_id"] == {"db.identity.holders"}
    assert taking["Connection"] == {"db.streams.now"}, "either kind, so that mypy refuses neither"
