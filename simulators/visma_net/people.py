"""The moves of people over HTTP, below ``/_sim/companies``: JSON in, JSON out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from simulators.control import json_body
from simulators.visma_net.answers import RefusalError, to_json
from simulators.visma_net.moves import People, content_of
from simulators.visma_net.payables import render_supplier_document
from simulators.visma_net.rendering import render_payment
from simulators.visma_net.signin import SignIn
from simulators.visma_net.state import Simulation

Move = Callable[[People, dict[str, str], dict[str, Any]], Any]


def routes(simulation: Simulation, signin: SignIn) -> list[BaseRoute]:
    """Give the routes of the people's moves; the general ones over a register come last."""
    people = People(simulation)

    def route(path: str, method: str, move: Move, status: int = 200) -> Route:
        async def endpoint(request: Request) -> Response:
            body = json_body(await request.body())
            sent = {**dict(request.query_params), **(body if isinstance(body, dict) else {})}
            try:
                answer = move(people, dict(request.path_params), sent)
            except RefusalError as refusal:
                return _json(refusal.body, refusal.status)
            except (KeyError, TypeError, ValueError) as problem:
                return _json({"message": f"{type(problem).__name__}: {problem}"}, 400)
            return Response(status_code=204) if answer is None else _json(answer, status)

        return Route(f"/_sim{path}", endpoint, methods=[method])

    def expire(_people: People, _keys: dict[str, str], _sent: dict[str, Any]) -> None:
        signin.expire_all()

    one = "/companies/{tenant}"
    return [
        route("/tokens/expire", "POST", expire),
        route("/companies", "GET", _companies),
        route("/companies", "POST", _add_company, 201),
        route(f"{one}/settings", "GET", lambda p, k, _s: asdict(p.company(k["tenant"]).switches)),
        route(f"{one}/settings", "PATCH", lambda p, k, s: asdict(p.switch(k["tenant"], **s))),
        route(f"{one}/removed", "GET", lambda p, k, _s: p.removed(k["tenant"])),
        route(f"{one}/marked", "GET", lambda p, k, s: p.marked(k["tenant"], s.get("prefix", ""))),
        route(f"{one}/sent", "GET", lambda p, k, _s: p.sent_by_erp(k["tenant"])),
        route(f"{one}/releases/finish", "POST", _finish),
        route(f"{one}/payments", "POST", _pay, 201),
        route(f"{one}/payments/{{number}}/void", "POST", _void),
        route(f"{one}/supplierinvoices", "POST", _supplier_invoice, 201),
        route(f"{one}/supplierinvoices/{{kind}}/{{number}}/release", "POST", _release_supplier_invoice),
        route(f"{one}/supplierinvoices/{{kind}}/{{number}}/void", "POST", _void_supplier_invoice),
        route(f"{one}/journals", "POST", _journal, 201),
        route(f"{one}/attachments", "POST", _attach, 201),
        route(f"{one}/{{register}}/touch", "POST", _touch),
        route(f"{one}/{{register}}", "GET", lambda p, k, _s: p.dump(k["tenant"], k["register"])),
        route(f"{one}/{{register}}", "POST", lambda p, k, s: p.add(k["tenant"], k["register"], s), 201),
        route(f"{one}/{{register}}/{{key}}", "PATCH", _edit),
        route(f"{one}/{{register}}/{{key}}", "DELETE", _remove),
    ]


def _json(body: Any, status: int) -> Response:
    return Response(to_json(body), status, media_type="application/json")


def _companies(people: People, _keys: dict[str, str], _sent: dict[str, Any]) -> Any:
    return [
        {"tenant_id": company.tenant_id, "name": company.name}
        for company in people.simulation.companies.values()
    ]


def _add_company(people: People, _keys: dict[str, str], sent: dict[str, Any]) -> Any:
    company = people.add_company(
        sent.get("firm", "nordkonsult"),
        tenant_id=sent.get("tenant_id"),
        client_id=sent.get("client_id"),
        client_secret=sent.get("client_secret"),
    )
    return {"tenant_id": company.tenant_id, "name": company.name}


def _finish(people: People, keys: dict[str, str], _sent: dict[str, Any]) -> Any:
    return {"released": people.finish_releases(keys["tenant"])}


def _pay(people: People, keys: dict[str, str], sent: dict[str, Any]) -> Any:
    payment = people.pay(
        keys["tenant"],
        sent["lines"],
        date=sent.get("date"),
        type=sent.get("type", "Payment"),
        amount=sent.get("amount"),
        released=sent.get("released", True),
    )
    return render_payment(people.company(keys["tenant"]), payment)


def _void(people: People, keys: dict[str, str], _sent: dict[str, Any]) -> Any:
    voiding = people.void_payment(keys["tenant"], keys["number"])
    return render_payment(people.company(keys["tenant"]), voiding)


def _supplier_invoice(people: People, keys: dict[str, str], sent: dict[str, Any]) -> Any:
    document = people.supplier_invoice(keys["tenant"], sent)
    return render_supplier_document(people.company(keys["tenant"]), document, files=True)


def _release_supplier_invoice(people: People, keys: dict[str, str], _sent: dict[str, Any]) -> None:
    people.release_supplier_invoice(keys["tenant"], keys["number"], keys["kind"])


def _void_supplier_invoice(people: People, keys: dict[str, str], _sent: dict[str, Any]) -> None:
    people.void_supplier_invoice(keys["tenant"], keys["number"], keys["kind"])


def _journal(people: People, keys: dict[str, str], sent: dict[str, Any]) -> Any:
    batch = people.journal(keys["tenant"], sent)
    return {"module": batch.module, "number": batch.number}


def _attach(people: People, keys: dict[str, str], sent: dict[str, Any]) -> Any:
    file = people.attach(
        keys["tenant"],
        sent["owner"],
        str(sent["number"]),
        sent["name"],
        content_of(sent),
        line=sent.get("line"),
    )
    return {"id": file}


def _touch(people: People, keys: dict[str, str], _sent: dict[str, Any]) -> Any:
    return {"touched": people.touch_all(keys["tenant"], keys["register"])}


def _edit(people: People, keys: dict[str, str], sent: dict[str, Any]) -> Any:
    return people.edit(keys["tenant"], keys["register"], keys["key"], sent)


def _remove(people: People, keys: dict[str, str], _sent: dict[str, Any]) -> None:
    people.remove(keys["tenant"], keys["register"], keys["key"])
