"""Every request shape of the Visma.net connector exists in the vendor's OpenAPI document."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from vendor_sources import SOURCES, interface

from connectors.endpoint import Conduct
from connectors.pacing import NoPacing
from connectors.signing_in import MemoryTokenStore
from connectors.visma_net import REGISTERS, VismaNetAccess, VismaNetClient
from connectors.visma_net.register import PAIRED, Register
from domain.errors import NotKnown
from domain.model import Filter
from simulators.server import running


def anonymous(path: str) -> str:
    """The path without the names of its placeholders: the document and the catalogue name them differently."""
    return re.sub(r"\{[^}]*\}", "{}", path)


@pytest.fixture(scope="module")
def document(source: str) -> dict[str, Any]:
    return interface(SOURCES[source], "visma-net")


@pytest.fixture(scope="module")
def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (verb.upper(), anonymous(path)): operation
        for path, verbs in document["paths"].items()
        for verb, operation in verbs.items()
        if verb in ("get", "post", "put", "delete")
    }


def parameters(document: dict[str, Any], operation: dict[str, Any], place: str) -> set[str]:
    found = [resolved(document, parameter) for parameter in operation.get("parameters", [])]
    return {parameter["name"] for parameter in found if parameter["in"] == place}


def verbs(register: Register) -> set[tuple[str, str]]:
    """Every (verb, path) that the client can send for a register."""
    shapes = {("GET", register.listing), ("GET", register.item), ("GET", register.typed_item)}
    shapes |= {("POST", register.creating), ("POST", register.attaching)}
    shapes |= {("POST", path) for path in register.actions.values()}
    if register.changing:
        shapes.add(("PUT", register.item))
    if register.removing:
        shapes.add(("DELETE", register.item))
    return {(verb, anonymous(path)) for verb, path in shapes if path}


each_register = pytest.mark.parametrize("register", REGISTERS.values(), ids=list(REGISTERS))
each_list = pytest.mark.parametrize(
    "register",
    [r for r in REGISTERS.values() if r.listing],
    ids=[r.name for r in REGISTERS.values() if r.listing],
)


@each_register
def test_every_path_and_verb_is_in_the_document(
    register: Register, operations: dict[tuple[str, str], dict[str, Any]]
) -> None:
    assert verbs(register) - operations.keys() == set()


@each_list
def test_every_query_name_is_in_the_document(
    register: Register, document: dict[str, Any], operations: dict[tuple[str, str], dict[str, Any]]
) -> None:
    documented = parameters(document, operations["GET", register.listing], "query")
    paging = {"pageNumber", "pageSize"}

    assert {*register.filters, *register.always, *register.whole} - documented == set()
    assert documented & paging == (set() if register.paging == "whole" else paging)


@each_list
def test_a_filter_that_needs_its_condition_has_it(
    register: Register, document: dict[str, Any], operations: dict[tuple[str, str], dict[str, Any]]
) -> None:
    documented = parameters(document, operations["GET", register.listing], "query")
    paired = {name for name in documented if f"{name}Condition" in documented}

    assert paired <= PAIRED
    assert {f"{name}Condition" for name in paired & set(register.filters)} <= set(register.filters)
    assert register.changed is None or register.changed_paired == (register.changed in paired)


@each_list
def test_a_register_that_can_be_asked_for_changes_is(
    register: Register, document: dict[str, Any], operations: dict[tuple[str, str], dict[str, Any]]
) -> None:
    documented = parameters(document, operations["GET", register.listing], "query")

    assert register.changed == ("lastModifiedDateTime" if "lastModifiedDateTime" in documented else None)


@each_register
def test_if_match_is_sent_only_where_the_document_takes_it(
    register: Register, document: dict[str, Any], operations: dict[tuple[str, str], dict[str, Any]]
) -> None:
    if not register.changing:
        assert not register.if_match
        return
    headers = parameters(document, operations["PUT", anonymous(register.item)], "header")
    assert register.if_match == ("If-Match" in headers)


@each_list
def test_the_members_that_identify_and_prove_a_row_are_in_its_schema(
    register: Register, document: dict[str, Any], operations: dict[tuple[str, str], dict[str, Any]]
) -> None:
    schema = operations["GET", register.listing]["responses"]["200"]["content"]["application/json"]["schema"]
    row = resolved(document, schema)
    row = resolved(document, row["items"]) if "items" in row else row
    if "records" in row.get("properties", {}):
        row = resolved(document, resolved(document, row["properties"]["records"])["items"])
    if row.get("type") == "string":
        assert register.name == "dimension"
        return

    def shown(path: str) -> bool:
        return has_member(document, row, path.split("."))

    assert any(all(shown(path) for path in group) for group in register.identity)
    assert not register.number or shown(register.number)
    unseen = {name for name, members in register.checks.items() if not any(shown(path) for path in members)}
    # customerdocument can be asked for these two, its rows do not carry them.
    assert unseen <= (
        {"externalReference", "paymentReference"} if register.name == "customerdocument" else set()
    )


def has_member(document: dict[str, Any], schema: dict[str, Any], path: list[str]) -> bool:
    schema = resolved(document, schema)
    if "items" in schema:
        return has_member(document, schema["items"], path)
    if not path:
        return True
    properties = schema.get("properties", {})
    return path[0] in properties and has_member(document, properties[path[0]], path[1:])


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        target: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        schema = target
    if "allOf" in schema:
        merged: dict[str, Any] = {"properties": dict(schema.get("properties", {}))}
        for part in schema["allOf"]:
            merged["properties"] |= resolved(document, part).get("properties", {})
        return merged
    return schema


# ---------------------------------------------------------------- on the wire


def test_every_request_that_leaves_the_house_is_in_the_document(
    document: dict[str, Any], operations: dict[tuple[str, str], dict[str, Any]]
) -> None:
    sent: list[tuple[str, str, set[str], set[str]]] = []

    async def token(_request: Request) -> Response:
        return JSONResponse({"access_token": "t", "expires_in": 3600})

    async def record(request: Request) -> Response:
        path = request.scope["raw_path"].decode()
        headers = {"If-Match"} & {name.title() for name in request.headers}
        sent.append((request.method, path, set(request.query_params), headers))
        lists = {register.listing for register in REGISTERS.values()}
        if request.method == "GET" and path in lists:
            return JSONResponse({"totalCount": 0, "records": []} if path.endswith("/creditTerm") else [])
        return Response(status_code=204)

    verbs = ["GET", "POST", "PUT", "DELETE"]
    app = Starlette(
        routes=[
            Route("/connect/token", token, methods=["POST"]),
            Route("/{path:path}", record, methods=verbs),
        ]
    )
    with running(app) as url:
        access = VismaNetAccess(url, f"{url}/connect", "service", "isv", "secret", "t")
        client = VismaNetClient(access, Conduct(tokens=MemoryTokenStore(), pacer=NoPacing()))
        for register in REGISTERS.values():
            use_everything(client, register)
        client.close()

    assert len(sent) > 3 * len(REGISTERS)
    for method, path, query, headers in sent:
        template = next(
            found
            for found in sorted(
                (path for verb, path in operations if verb == method), key=lambda one: one.count("{}")
            )
            if re.fullmatch(re.escape(found).replace(r"\{\}", "[^/]+"), path)
        )
        operation = operations[method, template]
        assert query <= parameters(document, operation, "query"), (method, path)
        assert headers <= parameters(document, operation, "header"), (method, path)


def use_everything(client: VismaNetClient, register: Register) -> None:
    """Every call the client can make for a register, with every filter."""
    name = register.name
    if register.listing:
        values = {one: example(one) for one in register.filters}
        list(client.list(name, **values))
        list(client.pages(name))
        list(client.pages(name, changed_since=datetime(2026, 3, 20, tzinfo=UTC)))
    if register.is_record:
        with pytest.raises(NotKnown):
            client.get(name, "100 245")
    if register.typed_item:
        with pytest.raises(NotKnown):
            client.get(name, "DebitAdj/7")
    if name == "attachment":
        with pytest.raises(NotKnown):
            client.download("100245")
    if register.creating:
        client.create(f"{name}/812" if "{key}" in register.creating else name, {})
    if register.changing:
        client.update(name, "100245", {}, etag='"AAAA="')
    if register.removing:
        client.delete(name, "100245")
    if register.attaching:
        client.attach(name, "100245", "a.pdf", b"%PDF")
    for action in register.actions:
        client.act(name, "100245", action)


def example(filter_name: str) -> Filter:
    if filter_name.endswith("Condition"):
        return "<="
    if filter_name == "inventoryTypes":
        return ["LaborItem", "ServiceItem"]
    if "Date" in filter_name:
        return datetime(2026, 3, 20, tzinfo=UTC)
    return True if filter_name.startswith(("expand", "include", "active", "onHold")) else "1"
