"""What the Visma.net connector makes of refusals, by the ERP and by its sign-in service."""

from __future__ import annotations

from typing import Any

import pytest
from peculiar_erp import Peculiar, client_of
from starlette.responses import JSONResponse, Response

from connectors.visma_net import NEEDED_SCOPES
from domain.errors import (
    Forbidden,
    Refused,
    SignInFailed,
    Unavailable,
)

# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"message": "VismaId: 5f.  Error creating document."}, "VismaId: 5f.  Error creating document."),
        (
            {"Message": "The request is invalid.", "ModelState": {"hold": ["bad"]}},
            "The request is invalid. hold: bad",
        ),
        ({"ExceptionType": "IPPException", "ExceptionMessage": "No."}, "No."),
    ],
)
def test_the_vendors_own_words_are_kept(body: dict[str, Any], message: str) -> None:
    with (
        client_of(Peculiar(lambda _seen: JSONResponse(body, 400))) as client,
        pytest.raises(Refused) as refused,
    ):
        client.create("customer", {})
    assert refused.value.message == message
    assert (refused.value.status, refused.value.operation) == (400, "POST /v1/customer")


def test_a_company_without_licence_is_a_matter_of_signing_in() -> None:
    body = {"ExceptionMessage": "No license for this company.", "ExceptionFaultCode": "12027"}
    with (
        client_of(Peculiar(lambda _seen: JSONResponse(body, 403))) as client,
        pytest.raises(SignInFailed) as failed,
    ):
        client.get("customer", "1")
    assert failed.value.reason == "no_license"


def test_a_token_without_a_company_is_a_matter_of_signing_in() -> None:
    body = {"ExceptionMessage": "CompanyInContext is missing"}
    with (
        client_of(Peculiar(lambda _seen: JSONResponse(body, 400))) as client,
        pytest.raises(SignInFailed) as failed,
    ):
        client.get("customer", "1")
    assert failed.value.reason == "unknown_tenant"


def test_a_missing_right_is_forbidden() -> None:
    with client_of(Peculiar(lambda _seen: Response(status_code=403))) as client, pytest.raises(Forbidden):
        client.get("customer", "1")


# ---------------------------------------------------------------- signing in


def test_the_service_application_signs_in_with_its_tenant() -> None:
    server = Peculiar(lambda _seen: JSONResponse([]))
    with client_of(server) as client:
        list(client.list("currency"))
    assert server.forms == [
        {
            "grant_type": "client_credentials",
            "client_id": "isv_test",
            "client_secret": "top-secret",
            "tenant_id": "6f9d3b52-0c1e-4c55-9b1a-7d3c8e5f2a10",
            "scope": " ".join(NEEDED_SCOPES["service"]),
        }
    ]
    assert server.seen[0].headers["authorization"] == "Bearer t1"


def test_a_refused_scope_is_named() -> None:
    def token(form: dict[str, str]) -> Response:
        if "delete" in form["scope"]:
            return JSONResponse({"error": "invalid_scope"}, 400)
        return JSONResponse({"access_token": "t", "expires_in": 3600})

    server = Peculiar(lambda _seen: JSONResponse([]), token_answer=token)
    with client_of(server) as client, pytest.raises(SignInFailed) as failed:
        client.get("customer", "1")
    assert failed.value.reason == "missing_scope"
    assert failed.value.fields["missing"] == ["vismanet_erp_service_api:delete"]


def test_the_check_names_scopes_that_the_token_does_not_have() -> None:
    def token(_form: dict[str, str]) -> Response:
        scope = (
            "vismanet_erp_service_api:read vismanet_erp_service_api:create vismanet_erp_service_api:update"
        )
        return JSONResponse({"access_token": "t", "expires_in": 3600, "scope": scope})

    server = Peculiar(lambda _seen: JSONResponse([]), token_answer=token)
    with client_of(server) as client, pytest.raises(SignInFailed) as failed:
        client.check()
    assert failed.value.fields["missing"] == ["vismanet_erp_service_api:delete"]


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, {"error": "invalid_client"}, "wrong_secret"),
        (401, {"error": "invalid_client"}, "wrong_secret"),
        (400, {"error": "invalid_request", "error_description": "unknown tenant_id"}, "unknown_tenant"),
        (400, {"error": "unauthorized_client"}, "unknown_tenant"),
        (400, {"error": "something_new"}, "refused"),
    ],
)
def test_why_a_sign_in_failed(status: int, body: dict[str, str], reason: str) -> None:
    server = Peculiar(lambda _seen: JSONResponse([]), token_answer=lambda _form: JSONResponse(body, status))
    with client_of(server) as client, pytest.raises(SignInFailed) as failed:
        client.get("customer", "1")
    assert failed.value.reason == reason
    assert "top-secret" not in str(failed.value)


def test_nobody_signed_in_is_signed_out_and_nothing_is_asked() -> None:
    server = Peculiar(lambda _seen: JSONResponse([]))
    with client_of(server, kind="interactive") as client, pytest.raises(SignInFailed) as failed:
        client.get("customer", "1")
    assert failed.value.reason == "signed_out"
    assert server.forms == []


def test_a_sign_in_service_that_is_down_is_a_matter_of_time() -> None:
    server = Peculiar(lambda _seen: JSONResponse([]), token_answer=lambda _form: Response(status_code=503))
    with client_of(server) as client, pytest.raises(Unavailable):
        client.get("customer", "1")
