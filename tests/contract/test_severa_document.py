"""Every request shape of the Severa connector exists in the vendor's OpenAPI document."""

from __future__ import annotations

import re
from typing import Any

import pytest
from vendor_sources import SOURCES, interface

from connectors.severa import NEEDED_SCOPES, OPTIONAL_SCOPES, REGISTERS
from connectors.severa.auth import TOKEN_PATH
from connectors.severa.registers import DOWNLOADS, OF_PARENT, PATCH_OPERATION, Register

PAGING = {
    "token": {"rowCount", "pageToken"},
    "rows": {"firstRow", "rowCount"},
    "none": set(),
    "single": set(),
}

every_register = pytest.mark.parametrize("register", REGISTERS.values(), ids=lambda register: register.name)


@pytest.fixture(scope="module")
def document(source: str) -> dict[str, Any]:
    return interface(SOURCES[source], "severa")


@pytest.fixture(scope="module")
def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            # Countries have four paths of one shape; the first, by guid, is the one that answers a record.
            found.setdefault((verb.upper(), anonymous(path)), operation)
    return found


def anonymous(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def query_names(operation: dict[str, Any]) -> set[str]:
    return {one["name"] for one in operation.get("parameters", []) if one["in"] == "query"}


def scopes(operation: dict[str, Any]) -> set[str]:
    return {scope for one in operation["security"] for scope in one.get("OAuth2", [])}


def schema_of_rows(operation: dict[str, Any], status: str = "200") -> dict[str, Any]:
    schema: dict[str, Any] = operation["responses"][status]["content"]["application/json"]["schema"]
    return schema


@every_register
def test_a_list_has_the_path_the_paging_the_filters_and_the_scope_of_the_catalogue(
    register: Register, operations: dict[tuple[str, str], dict[str, Any]]
) -> None:
    if register.list_path is None:
        assert register.item_path is not None
        return
    operation = operations["GET", anonymous(register.list_path)]
    names = query_names(operation)
    sent = PAGING[register.paging] | set(register.filters) | set(register.change_options)
    if register.change_filter is not None:
        sent.add(register.change_filter)
    assert sent <= names
    assert register.scope in scopes(operation)
    assert (schema_of_rows(operation).get("type") == "array") is (register.paging != "single")
    if register.paging == "none":
        assert not {"pageToken", "firstRow"} & names
    if register.paging == "token":
        assert "NextPageToken" in operation["responses"]["200"]["headers"]


@every_register
def test_a_register_with_a_change_filter_in_the_document_is_never_read_whole(
    register: Register, operations: dict[tuple[str, str], dict[str, Any]]
) -> None:
    if register.list_path is None or register.needs_parent:
        return
    known = query_names(operations["GET", anonymous(register.list_path)]) & {"changedSince", "deletedSince"}
    assert known == ({register.change_filter} if register.change_filter else set())


@every_register
def test_records_are_read_created_and_changed_where_the_document_says(
    register: Register, operations: dict[tuple[str, str], dict[str, Any]]
) -> None:
    if register.item_path is not None:
        operation = operations["GET", anonymous(register.item_path)]
        assert scopes(operation) <= NEEDED_SCOPES
    if register.patches:
        assert register.item_path is not None
        operation = operations["PATCH", anonymous(register.item_path)]
        assert register.write_scope in scopes(operation)
        assert register.write_scope in NEEDED_SCOPES
    if register.create_path is not None:
        operation = operations["POST", anonymous(register.create_path)]
        assert register.write_scope in scopes(operation)
        assert register.write_scope in NEEDED_SCOPES | OPTIONAL_SCOPES


def rows_schema(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The properties of a schema with its bases and references resolved."""
    if "$ref" in schema:
        return rows_schema(document, document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]])
    properties: dict[str, Any] = dict(schema.get("properties", {}))
    for part in [*schema.get("allOf", []), *schema.get("oneOf", [])]:
        properties.update(rows_schema(document, part))
    return properties


@every_register
def test_every_member_that_a_filter_is_checked_against_exists_in_the_rows(
    register: Register, document: dict[str, Any], operations: dict[tuple[str, str], dict[str, Any]]
) -> None:
    for check in register.filters.values():
        for member in check.members:
            assert register.list_path is not None
            schema = schema_of_rows(operations["GET", anonymous(register.list_path)])["items"]
            for name in member.split("."):
                properties = rows_schema(document, schema)
                assert name.removesuffix("[]") in properties, member
                schema = properties[name.removesuffix("[]")]
                if name.endswith("[]"):
                    schema = schema["items"]


def test_downloads_uploads_and_sign_in_exist(operations: dict[tuple[str, str], dict[str, Any]]) -> None:
    for path, query in DOWNLOADS.values():
        operation = operations["GET", anonymous(path)]
        assert set(query) <= query_names(operation)
        assert scopes(operation) <= NEEDED_SCOPES
    upload = operations["POST", "/v1/projects/{}/files"]
    # The vendor says it in a text; the extract has the form's name alone.
    assert "multipart/related" in (upload.get("x-media-types") or upload["description"])
    assert ("POST", TOKEN_PATH) in operations


def test_pdf_options_are_words_of_the_document(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    _, query = DOWNLOADS["invoices/pdf"]
    assert query["invoiceType"] in schemas["InvoiceType"]["enum"]
    assert query["pdfGetOptions"] in schemas["InvoicePdfGetOptions"]["enum"]
    assert set(REGISTERS["customers"].change_options["changedSinceOptions"]) <= set(
        schemas["CustomerChangedSinceSearchExtensionOptions"]["enum"]
    )


def test_the_patch_operation_is_a_word_of_the_document(document: dict[str, Any]) -> None:
    words = [
        word
        for schema in document["components"]["schemas"].values()
        for word in schema.get("enum", [])
        if isinstance(word, str)
    ]
    assert PATCH_OPERATION in words
    assert {"op", "path", "value"} <= set(document["components"]["schemas"]["PatchOperation"]["properties"])


def test_the_scopes_are_known_and_every_one_is_used(document: dict[str, Any]) -> None:
    known = document["components"]["securitySchemes"]["OAuth2"]["flows"]["clientCredentials"]["scopes"]
    used = {register.scope for register in REGISTERS.values()}
    used |= {
        register.write_scope for register in REGISTERS.values() if register.patches or register.create_path
    }
    assert set(known) >= NEEDED_SCOPES | OPTIONAL_SCOPES
    assert used == NEEDED_SCOPES | OPTIONAL_SCOPES


def test_plain_names_stand_for_registers_below_a_parent() -> None:
    for plain, nested in OF_PARENT.items():
        assert REGISTERS[nested].needs_parent
        assert plain == nested.rsplit("/", 1)[-1]
