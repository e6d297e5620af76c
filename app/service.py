"""What people do with tenants, problems and logs: the services under the command line (and later the web pages)."""

from __future__ import annotations

import getpass
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from app import announcing
from app.bootstrap import Bridge
from app.poller import Poller
from app.systems import connection_parts
from connectors.http import MemoryTokenStore
from connectors.pacing import NoPacing
from connectors.severa import SeveraClient
from connectors.visma_net import VismaNetClient
from db import attempts, links, log, outbox, records, streams, tenants
from db.books import ERP_REGISTERS, SEVERA_REGISTERS
from db.tenants import Tenant
from domain import catalogue
from domain.errors import BridgeError, InputError, NotFound, Refused, SignInFailed, TryLater
from domain.ports import System
from domain.setup.settings import TenantFile, changed_settings, read_tenant_file
from domain.text import organisation_number

SYSTEM_NAMES: Mapping[str, str] = {"severa": "Severa", "visma_net": "Visma.net ERP"}

# What people call the registers on the command line.
REGISTER_WORDS: Mapping[str, str] = {
    "customers": "customer", "products": "product", "worktypes": "product", "travelexpensetypes": "product",
    "inventory": "product", "projects": "project", "salescases": "project", "invoices": "invoice",
    "customerdocument": "invoice", "customerinvoice": "invoice", "customercreditnote": "invoice",
    "creditnote": "invoice", "supplierinvoice": "cost", "journaltransaction": "cost", "payments": "payment",
}  # fmt: skip


def load_tenant_file(path: Path) -> TenantFile:
    """Raises InputError: no file, no TOML, unknown or missing key."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"The tenant file {path} cannot be read: {error.strerror or error}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"The tenant file {path} is not valid TOML: {error}.") from error
    return read_tenant_file(values)


def add_tenant(bridge: Bridge, file: TenantFile) -> bool:
    """Checks both connections and the companies' identity, then stores the tenant; True when it is new.

    Raises InputError with one sentence and stores nothing when a connection does not work. Adding a known tenant again
    replaces its connections and settings and keeps its links and log.
    """
    check_connections(bridge, file)
    with bridge.db.dispatch() as db:
        known = tenants.by_name(db, file.name)
    tenant_id = known.id if known else uuid4()
    with bridge.db.tenant(tenant_id) as db:
        if known is None:
            tenants.add(db, tenant_id, file.name, file.language, file.time_zone)
        else:
            tenants.change(db, tenant_id, file.language, file.time_zone)
        kept = tenants.settings(db, tenant_id)
        tenants.add_settings(db, tenant_id, {**kept, **file.settings.model_dump(mode="json")}, _who())
        for system, part in (("severa", file.severa), ("visma_net", file.visma_net)):
            secret = bridge.secrets.seal(part.client_secret.get_secret_value())
            values = connection_parts(_system(system), part.model_dump())
            tenants.put_connection(db, tenant_id, _system(system), values, secret)
        tenants.audit(db, tenant_id, _who(), "tenant.added" if known is None else "tenant.changed", {})
    bridge.connections.forget(tenant_id)
    return known is None


def check_connections(bridge: Bridge, file: TenantFile) -> None:
    """Signs in to both systems as the file says and compares the organisation numbers (R-SET-4). Raises InputError."""
    settings = bridge.settings
    common: dict[str, Any] = {
        "pacer": NoPacing(),
        "stop": bridge.stop,
        "read_timeout": settings.read_timeout_seconds,
        "create_timeout": settings.create_timeout_seconds,
    }
    severa = SeveraClient(
        file.severa.base_url,
        file.severa.client_id,
        file.severa.client_secret.get_secret_value(),
        tokens=MemoryTokenStore(),
        **common,
    )
    erp = VismaNetClient(
        file.visma_net.base_url,
        file.visma_net.auth_url,
        file.visma_net.kind,
        file.visma_net.client_id,
        file.visma_net.client_secret.get_secret_value(),
        file.visma_net.tenant_id,
        tokens=MemoryTokenStore(),
        time_zone=settings.erp_time_zone,
        **common,
    )
    try:
        ours = _checked("severa", file.severa.base_url, lambda: _severa_company(severa))
        # The interactive kind has no token before its user has signed in once.
        if file.visma_net.kind == "interactive":
            return
        theirs = _checked("visma_net", file.visma_net.base_url, erp.check)
    finally:
        severa.close()
        erp.close()
    left = organisation_number(str(ours.get("vatNumber") or ""))
    right = organisation_number(str(theirs.get("corporateId") or theirs.get("vatRegistrationId") or ""))
    if left and right and left != right:
        raise InputError(
            f"The two companies are not the same: Severa has organisation number {left} ({ours.get('name')}), "
            f"Visma.net ERP has {right} ({theirs.get('name')}). Connect the company that belongs to this Severa organisation."
        )


def _severa_company(client: SeveraClient) -> dict[str, Any]:
    client.check()
    return client.get("organizationdetails", "")


def _checked(system: System, address: str, check: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    name = SYSTEM_NAMES[system]
    try:
        return check()
    except SignInFailed as error:
        raise InputError(sign_in_sentence(error)) from error
    except TryLater as error:
        raise InputError(
            f"{name} cannot be reached at {address}: {error.message.rstrip('.')}. Check the address and the network."
        ) from error
    except NotFound as error:
        raise InputError(
            f"{name} does not answer as expected at {address} (404 for {error.operation}): check base_url."
        ) from error
    except Refused as error:
        raise InputError(f"{name} refuses {error.operation}: {error.message}") from error


def sign_in_sentence(error: SignInFailed) -> str:
    """What is wrong with a sign-in and what to do, in one sentence."""
    name = SYSTEM_NAMES.get(error.system, error.system)
    detail = error.message.rstrip(".")
    match error.reason:
        case "wrong_secret":
            return f"{name} refuses the sign-in: client_id or client_secret is wrong ({detail}); correct them in the tenant file."
        case "missing_scope":
            missing = error.fields.get("missing") or []
            named = ", ".join(missing) if isinstance(missing, list) else str(missing)
            return f"The {name} credentials lack the scope {named or detail}: grant it to the integration and try again."
        case "unknown_tenant" | "no_license":
            return f"{name} does not accept tenant_id ({detail}): use the company's tenant id, not the customer's, and check its licence and roles."
        case _:
            return f"{name} refuses the sign-in: {detail}."


def _system(name: str) -> System:
    return "severa" if name == "severa" else "visma_net"


def find_tenant(bridge: Bridge, name: str) -> Tenant:
    """Raises InputError when there is none of that name."""
    with bridge.db.dispatch() as db:
        tenant = tenants.by_name(db, name)
    if tenant is None:
        raise InputError(f"There is no tenant '{name}': 'severa-bridge tenant list' shows those there are.")
    return tenant


def list_tenants(bridge: Bridge) -> list[dict[str, Any]]:
    """Every tenant with its state, last check and open problems."""
    with bridge.db.dispatch() as db:
        found = tenants.all_tenants(db)
    rows = []
    for tenant in found:
        with bridge.db.tenant(tenant.id) as db:
            checked = {c.system: c for c in tenants.connections(db, tenant.id)}
            problems = len(log.problems(db, tenant.id))
            work = outbox.rows(db, tenant.id)
        rows.append(
            {
                "name": tenant.name,
                "state": tenant.state,
                "paused_domains": list(tenant.paused_domains),
                "language": tenant.language,
                "problems": problems,
                "unfinished": sum(row["state"] not in ("failed", "in_doubt") for row in work),
                "current_as_of": {
                    system: _iso(connection.checked_at) for system, connection in checked.items()
                },
            }
        )
    return rows


def go_live(bridge: Bridge, name: str, progress: Callable[[System, str, int], None]) -> bool:
    """Reads both systems once to the end, then switches the tenant on; False when it was live already.

    Until the reading is complete nothing is matched or created. Raises InputError (and the tenant stays as it was) when
    a system cannot be read.
    """
    tenant = find_tenant(bridge, name)
    if tenant.state == "live":
        return False
    with bridge.db.tenant(tenant.id) as db:
        tenants.set_state(db, tenant.id, "reading")
    poller = Poller(
        bridge.db, bridge.connections, list(bridge.registers.values()), bridge.settings, bridge.stop
    )
    try:
        for system in ("severa", "visma_net"):
            with bridge.db.tenant(tenant.id) as db:
                lease = streams.lease_one(
                    db, tenant.id, _system(system), uuid4(), bridge.settings.poll_lease_seconds
                )
            if lease is None:
                raise InputError(
                    "Another process is reading this tenant at the moment: try again in a few minutes."
                )
            poller.poll(lease, progress=progress, quiet=True)
    except BridgeError as error:
        with bridge.db.tenant(tenant.id) as db:
            tenants.set_state(db, tenant.id, tenant.state)
        if isinstance(error, InputError):
            raise
        if isinstance(error, SignInFailed):
            raise InputError(sign_in_sentence(error)) from error
        raise InputError(f"The systems could not be read to the end: {error.message.rstrip('.')}.") from error
    except BaseException:
        with bridge.db.tenant(tenant.id) as db:
            tenants.set_state(db, tenant.id, tenant.state)
        raise
    with bridge.db.tenant(tenant.id) as db:
        tenants.set_state(db, tenant.id, "live")
        tenants.audit(db, tenant.id, _who(), "tenant.live", {})
    return True


def set_setting(bridge: Bridge, name: str, key: str, text: str) -> None:
    """Changes one setting of a tenant; a new version is kept. Raises InputError."""
    tenant = find_tenant(bridge, name)
    with bridge.db.tenant(tenant.id) as db:
        values = changed_settings(tenants.settings(db, tenant.id), key, text)
        tenants.add_settings(db, tenant.id, values, _who())
        tenants.audit(db, tenant.id, _who(), "setting.changed", {"key": key, "value": text})


def set_paused(bridge: Bridge, name: str, *, paused: bool, domain: str | None = None) -> None:
    """Pauses or resumes a tenant, or one of its domains. Begun documents run to their end."""
    tenant = find_tenant(bridge, name)
    if domain is not None and domain not in outbox.DOMAINS:
        raise InputError(f"There is no domain '{domain}': choose from {', '.join(outbox.DOMAINS)}.")
    if domain is None and tenant.state not in ("live", "paused"):
        raise InputError(
            f"The tenant '{name}' is not live yet: run 'severa-bridge tenant go-live {name}' first."
        )
    action = "paused" if paused else "resumed"
    with bridge.db.tenant(tenant.id) as db:
        if domain is None:
            tenants.set_state(db, tenant.id, "paused" if paused else "live")
        else:
            others = [other for other in tenant.paused_domains if other != domain]
            tenants.set_paused_domains(db, tenant.id, [*others, domain] if paused else others)
        if not paused:
            # Whoever resumes has looked: what the brake held goes on (R-CON-3).
            log.close_cause(db, tenant.id, domain, announcing.BRAKE, announcing.RESUMED)
            streams.ask(db, tenant.id)
        tenants.audit(db, tenant.id, _who(), f"tenant.{action}", {"domain": domain})


def problems(bridge: Bridge, name: str, *, closed_too: bool = False) -> list[dict[str, Any]]:
    """Open problems, explained in the tenant's language: what is wrong, what to do, where."""
    tenant = find_tenant(bridge, name)
    with bridge.db.tenant(tenant.id) as db:
        found = log.problems(db, tenant.id, closed_too=closed_too)
    return [explained(row, tenant.language) for row in found]


def explained(row: Mapping[str, Any], language: str) -> dict[str, Any]:
    """One problem's row with its words."""
    values = {
        **row["values"],
        "number": row["values"].get("number") or row["number"],
        "name": row["values"].get("name") or row["name"],
    }
    cause = catalogue.causes().get(row["code"])
    return {
        "id": row["id"],
        "domain": row["domain"],
        "code": row["code"],
        "system": row["system"],
        "register": row["register"],
        "record_id": row["record_id"],
        "number": row["number"],
        "name": row["name"],
        "wrong": cause.wrong.fill(language, values) if cause else row["code"],
        "do": cause.do.fill(language, values) if cause else "",
        "where": cause.where.fill(language, values) if cause else "",
        "closes_by_itself": cause.closes_by_itself if cause else False,
        "values": row["values"],
        "opened_at": _iso(row["opened_at"]),
        "last_seen_at": _iso(row["last_seen_at"]),
        "times": row["times"],
        "closed_at": _iso(row["closed_at"]),
        "closed_how": row["closed_how"],
    }


def transfer_log(
    bridge: Bridge, name: str, *, domain: str | None, level: str | None, limit: int
) -> list[dict[str, Any]]:
    """The transfer log, newest first, each line a sentence in the tenant's language (R-LOG-1)."""
    tenant = find_tenant(bridge, name)
    with bridge.db.tenant(tenant.id) as db:
        rows = log.read(db, tenant.id, domain=domain, level=level, limit=limit)
    return [_log_line(row, tenant.language) for row in rows]


def _log_line(row: Mapping[str, Any], language: str) -> dict[str, Any]:
    sentence = catalogue.sentences().get(row["code"])
    values = {"number": row["number"], "name": row["name"], **row["values"]}
    return {
        "at": _iso(row["at"]),
        "domain": row["domain"],
        "direction": row["direction"],
        "register": row["register"],
        "record_id": row["record_id"],
        "number": row["number"],
        "name": row["name"],
        "level": row["level"],
        "outcome": row["outcome"],
        "code": row["code"],
        "sentence": sentence.fill(language, values) if sentence else row["code"],
        "values": row["values"],
        "duration_ms": row["duration_ms"],
    }


@dataclass(frozen=True, slots=True)
class Traced:
    """A record's road: what it is, its link, its unfinished work, its attempts with steps and calls, its log lines."""

    record: dict[str, Any]
    link: dict[str, Any] | None
    work: list[dict[str, Any]]
    attempts: list[dict[str, Any]]
    log: list[dict[str, Any]]


def trace(bridge: Bridge, name: str, register: str, wanted: str) -> list[Traced]:
    """The timeline of the records that an id, number or name names (R-LOG-2). Raises InputError when there is none."""
    tenant = find_tenant(bridge, name)
    domain = _domain_of(register)
    registers = [*SEVERA_REGISTERS[domain], *ERP_REGISTERS[domain]]
    if domain == "invoice":
        registers.append("customerdocument")
    with bridge.db.tenant(tenant.id) as db:
        found = records.search(db, tenant.id, registers, wanted)
    if not found:
        raise InputError(f"No {domain} '{wanted}' has been seen for tenant '{name}'.")
    traced: dict[str, Traced] = {}
    for record in found:
        by = {"severa_id" if record.system == "severa" else "erp_id": record.id}
        subjects = [outbox.record_subject(record.system, record.register, record.id)]
        with bridge.db.tenant(tenant.id) as db:
            link = links.find(db, tenant.id, domain, **by)
            if link:
                subjects += [
                    outbox.link_subject(link.id),
                    outbox.record_subject("severa", link.severa_register, link.severa_id),
                    outbox.record_subject("visma_net", link.erp_register, link.erp_id),
                ]
            tried = attempts.of_subjects(db, tenant.id, subjects)
            calls = attempts.payloads(db, tenant.id, [row["id"] for row in tried])
            lines = log.of_subjects(db, tenant.id, subjects)
            work = [row for row in outbox.rows(db, tenant.id) if row["subject"] in subjects]
        traced.setdefault(
            link.id if link else subjects[0],
            Traced(
                {
                    "system": record.system,
                    "register": record.register,
                    "id": record.id,
                    "number": record.number,
                    "name": record.name,
                    "version": record.version,
                    "settled_version": record.settled_version,
                    "remote_time": _iso(record.remote_time),
                },
                None
                if link is None
                else {
                    "severa_id": link.severa_id,
                    "severa_number": link.severa_number,
                    "erp_id": link.erp_id,
                    "erp_number": link.erp_number,
                },
                [{k: _plain(v) for k, v in row.items()} for row in work],
                [_attempt(row, calls) for row in tried],
                [_log_line(row, tenant.language) for row in lines],
            ),
        )
    return list(traced.values())


def _attempt(row: Mapping[str, Any], calls: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "started_at": _iso(row["started_at"]),
        "ended_at": _iso(row["ended_at"]),
        "domain": row["domain"],
        "outcome": row["outcome"],
        "error": row["error"],
        "worker": row["worker"],
        "steps": row["steps"],
        "calls": [
            {
                key: _plain(call[key])
                for key in (
                    "at",
                    "system",
                    "method",
                    "path",
                    "status",
                    "seconds",
                    "request",
                    "response",
                    "error",
                )
            }
            for call in calls
            if call["attempt_id"] == row["id"]
        ],
    }


def _domain_of(register: str) -> str:
    word = register.lower()
    if word in outbox.DOMAINS:
        return word
    if word in REGISTER_WORDS:
        return REGISTER_WORDS[word]
    raise InputError(
        f"There is no register '{register}': choose customer, product, project, invoice, payment or cost."
    )


def retry(bridge: Bridge, name: str, problem: str) -> int:
    """Tries a problem's record again at once; ``problem`` is its number, or a code for all of that cause. How many."""
    tenant = find_tenant(bridge, name)
    with bridge.db.tenant(tenant.id) as db:
        wanted = [
            row for row in log.problems(db, tenant.id) if str(row["id"]) == problem or row["code"] == problem
        ]
        if not wanted:
            raise InputError(
                f"There is no open problem '{problem}' for tenant '{name}': 'severa-bridge problems {name}' shows those there are."
            )
        asked = 0
        for row in wanted:
            if row["domain"] == "connection":
                streams.ask(db, tenant.id)
                asked += 1
            elif outbox.retry(db, tenant.id, row["domain"], row["subject"]):
                asked += 1
            elif row["record_id"]:
                outbox.announce(
                    db, tenant.id, row["domain"], row["subject"],
                    cause="person", system=row["system"], register=row["register"],
                )  # fmt: skip
                asked += 1
            tenants.audit(
                db, tenant.id, _who(), "problem.retried", {"problem": row["id"], "code": row["code"]}
            )
    return asked


def rotate_secrets(bridge: Bridge) -> int:
    """Re-encrypts every stored secret with the first key; how many connections."""
    with bridge.db.dispatch() as db:
        found = tenants.all_tenants(db)
    count = 0
    for tenant in found:
        with bridge.db.tenant(tenant.id) as db:
            for stored in tenants.connections(db, tenant.id):
                token = bridge.secrets.rotated(stored.token) if stored.token else None
                tenants.put_secret(db, tenant.id, stored.system, bridge.secrets.rotated(stored.secret), token)
                count += 1
            tenants.audit(db, tenant.id, _who(), "secrets.rotated", {"key": bridge.secrets.key_id})
    return count


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "operator"


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _plain(value: Any) -> Any:
    return (
        value.isoformat() if isinstance(value, datetime) else str(value) if isinstance(value, UUID) else value
    )
