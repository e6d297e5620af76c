"""The Severa connector against the Severa simulator, over real HTTP: signing in, reading, writing."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import pytest
from severa_served import LATER, calls, drafted, person, severa
from test_severa_document import anonymous, query_names
from vendor_sources import SOURCES, interface

from connectors.severa import NEEDED_SCOPES, REGISTERS, SeveraClient, changed_at
from connectors.signing_in import MemoryTokenStore
from domain.errors import (
    Forbidden,
    NotFound,
    Refused,
    SignInFailed,
)
from domain.ports import SeveraApi
from simulators.control import Controlled


def test_it_is_the_port(client: SeveraClient) -> None:
    port: SeveraApi = client
    assert port is client


@pytest.mark.req("R-SET-2")
class TestSigningIn:
    def test_check_gives_the_granted_scopes(self, client: SeveraClient) -> None:
        assert client.check() >= NEEDED_SCOPES

    @pytest.mark.parametrize("partial", [False, True])
    def test_check_names_the_missing_scopes_however_the_vendor_refuses(
        self, simulator: Controlled, url: str, client: SeveraClient, *, partial: bool
    ) -> None:
        simulator.settings.partial_scopes = partial
        scopes = sorted(NEEDED_SCOPES - {"users:read", "invoices:write"})
        person(url, "scopes", {"scopes": scopes}, "PATCH")
        with pytest.raises(SignInFailed) as caught:
            client.check()
        assert caught.value.reason == "missing_scope"
        assert caught.value.fields["missing"] == ["invoices:write", "users:read"]
        with pytest.raises(Forbidden) as forbidden:
            list(client.list("users"))
        assert forbidden.value.fields["type"] == "InsufficientApiScope"

    def test_a_wrong_secret_is_told_as_such(self, url: str) -> None:
        client = severa(url, client_secret="wrong")
        with pytest.raises(SignInFailed) as caught:
            client.get("organizationdetails", "")
        client.close()
        assert caught.value.reason == "wrong_secret"

    def test_a_revoked_token_is_replaced_without_the_caller_noticing(
        self, url: str, client: SeveraClient, tokens: MemoryTokenStore
    ) -> None:
        client.get("organizationdetails", "")
        first = tokens.load()
        person(url, "revoke")
        assert client.get("organizationdetails", "")["guid"]
        assert client.create("customers", {"name": "Efter utgången AB"})["guid"]
        second = tokens.load()
        assert first is not None
        assert second is not None
        assert first.access_token != second.access_token

    def test_tokens_that_live_shorter_than_the_margin_work(
        self, simulator: Controlled, client: SeveraClient
    ) -> None:
        simulator.settings.token_seconds = 60
        for _ in range(3):
            client.get("organizationdetails", "")
        assert simulator.ledger.count(method="POST") == 1

    def test_two_processes_share_one_token(
        self, simulator: Controlled, url: str, client: SeveraClient, tokens: MemoryTokenStore
    ) -> None:
        other = severa(url, tokens=tokens)
        client.get("organizationdetails", "")
        other.get("organizationdetails", "")
        other.close()
        assert simulator.ledger.count(method="POST") == 1

    def test_the_header_with_the_client_id_is_there(
        self, simulator: Controlled, client: SeveraClient
    ) -> None:
        simulator.settings.strict_client_id = True
        assert client.get("organizationdetails", "")["guid"]


class TestReading:
    @pytest.mark.parametrize(
        "name", [name for name, one in REGISTERS.items() if one.list_path and not one.needs_parent]
    )
    def test_every_register_is_read_whole_and_by_its_changes(self, reader: SeveraClient, name: str) -> None:
        if name == "integrations/vismafinancials/companyinformation":
            with pytest.raises(Forbidden):
                list(reader.pages(name))
            return
        [*pages] = reader.pages(name)
        assert pages[0].server_time is not None
        since = list(reader.pages(name, changed_since=LATER))
        expected = [] if REGISTERS[name].change_filter else [row for page in pages for row in page.rows]
        assert [row for page in since for row in page.rows] == expected

    @pytest.mark.parametrize(
        "name", [name for name, one in REGISTERS.items() if one.list_path and one.needs_parent]
    )
    def test_every_list_below_a_record_is_read(
        self, shared_url: str, reader: SeveraClient, name: str
    ) -> None:
        owner = {
            "customers": lambda: next(reader.list("customers"))["guid"],
            "contacts": lambda: next(reader.list("contactpersons"))["guid"],
            "projects": lambda: next(reader.list("projects"))["guid"],
            "invoices": lambda: drafted(shared_url, reader)["guid"],
        }[name.split("/", maxsplit=1)[0]]()
        found = list(reader.list(name, parent=owner))
        assert len({row["guid"] for row in found}) == len(found)
        with pytest.raises(NotFound):
            list(reader.list(name, parent="00000000-0000-4000-8000-000000000000"))

    @pytest.mark.parametrize(("name", "new"), [("customers", {}), ("worktypes", {"isProductive": True})])
    def test_more_than_two_pages_are_read_in_both_paging_styles(
        self, simulator: Controlled, url: str, client: SeveraClient, name: str, new: dict[str, Any]
    ) -> None:
        before = {row["guid"] for row in client.list(name)}
        made = {person(url, name, {"name": f"Nummer {n}", **new})["guid"] for n in range(205)}
        simulator.ledger.reset()
        found = [row["guid"] for row in client.list(name)]
        assert len(found) == len(before) + 205
        assert set(found) == before | made
        assert simulator.ledger.count(method="GET") == 3
        assert {row["guid"] for page in client.pages(name) for row in page.rows} == before | made

    def test_a_server_that_cuts_pages_is_read_to_its_end(
        self, simulator: Controlled, url: str, client: SeveraClient
    ) -> None:
        for n in range(60):
            person(url, "worktypes", {"name": f"Nummer {n}", "isProductive": True})
        whole = {row["guid"] for row in client.list("worktypes")}
        simulator.settings.maximum_rows = 25
        assert {row["guid"] for row in client.list("worktypes")} == whole

    def test_a_change_is_found_by_the_time_it_was_made(self, url: str, client: SeveraClient) -> None:
        customer = next(row for row in client.list("customers") if not row["isInternal"])
        person(url, f"customers/{customer['guid']}", {"notes": "ringde"}, "PATCH")
        after = client.get("customers", customer["guid"])
        time = changed_at(after)
        assert time is not None
        [page] = client.pages("customers", changed_since=time - timedelta(milliseconds=5))
        assert [row["guid"] for row in page.rows] == [customer["guid"]]

    def test_a_changed_address_brings_its_customer_back(self, url: str, client: SeveraClient) -> None:
        address = next(client.list("addresses"))
        person(url, f"addresses/{address['guid']}", {"city": "Kiruna"}, "PATCH")
        time = changed_at(client.get("addresses", address["guid"]))
        assert time is not None
        [page] = client.pages("customers", changed_since=time - timedelta(milliseconds=5))
        assert address["customer"]["guid"] in [row["guid"] for row in page.rows]

    def test_filters_narrow(self, reader: SeveraClient) -> None:
        numbered = next(row for row in reader.list("customers") if row["number"])
        [found] = reader.list("customers", numbers=[str(numbered["number"])])
        assert found["guid"] == numbered["guid"]
        assert [row["isInternal"] for row in reader.list("customers", isInternal=True)] == [True]

    def test_a_record_that_is_not_there_is_not_found(self, reader: SeveraClient) -> None:
        with pytest.raises(NotFound) as caught:
            reader.get("customers", "00000000-0000-4000-8000-000000000000")
        assert caught.value.status == 404

    def test_countries_are_read_by_guid_letters_and_name(self, reader: SeveraClient) -> None:
        sweden = reader.get("localization/countries", "SE")
        assert reader.get("localization/countries", sweden["guid"])["code2"] == "SE"
        assert reader.get("localization/countries", sweden["name"])["code2"] == "SE"


class TestInvoices:
    def test_rows_and_totals_are_exact(self, url: str, client: SeveraClient) -> None:
        invoice = client.get("invoices", drafted(url, client)["guid"])
        assert invoice["totalExcludingTax"]["amount"] == Decimal("3751.65")
        assert invoice["totalIncludingTax"]["amount"] == Decimal("4689.56")
        [row] = client.list("invoices/invoicerows", parent=invoice["guid"])
        assert row["unitPrice"]["amount"] == Decimal("1250.55")

    def test_number_reference_and_status_are_written_in_one_patch(
        self, url: str, client: SeveraClient
    ) -> None:
        guid = drafted(url, client)["guid"]
        status = next(row for row in client.list("invoicestatuses") if row["hasInvoiceNumber"])
        changes = {"/number": 4711, "/referenceNumber": "471100", "/status/guid": status["guid"]}
        stored = client.patch("invoices", guid, changes)
        assert (stored["number"], stored["referenceNumber"]) == (4711, "471100")
        assert client.get("invoices", guid)["status"]["guid"] == status["guid"]

    def test_a_payment_date_is_set_and_cleared(self, url: str, client: SeveraClient) -> None:
        guid = drafted(url, client)["guid"]
        assert client.patch("invoices", guid, {"/paymentDate": "2026-11-20"})["paymentDate"] == "2026-11-20"
        assert client.patch("invoices", guid, {"/paymentDate": None})["paymentDate"] is None

    def test_a_refused_number_comes_with_the_vendors_words(
        self, simulator: Controlled, url: str, client: SeveraClient
    ) -> None:
        simulator.settings.number_write = "refused"
        with pytest.raises(Refused) as caught:
            client.patch("invoices", drafted(url, client)["guid"], {"/number": 4711})
        assert caught.value.status == 400
        assert caught.value.message
        assert not caught.value.message.startswith("HTTP")

    def test_the_pdf_and_a_file_are_downloaded(self, url: str, client: SeveraClient) -> None:
        guid = drafted(url, client)["guid"]
        person(
            url,
            f"invoices/{guid}/files",
            {"name": "kvitto.txt", "text": "Kvitto på resa", "contentType": "text/plain"},
        )
        assert client.download("invoices/pdf", guid).startswith(b"%PDF")
        [file] = client.list("invoices/files", parent=guid)
        assert client.download("files", file["fileGuid"]).decode() == "Kvitto på resa"


class TestWriting:
    def test_a_customer_is_created_with_address_and_changed(self, client: SeveraClient) -> None:
        customer = client.create("customers", {"name": "Ny kund AB", "paymentTerm": 30})
        sweden = client.get("localization/countries", "SE")
        address = client.create(
            "addresses",
            {
                "addressline": "Storgatan 1",
                "city": "Umeå",
                "isVisitAddress": True,
                "country": {"guid": sweden["guid"]},
            },
            parent=customer["guid"],
        )
        assert [row["guid"] for row in client.list("addresses", parent=customer["guid"])] == [address["guid"]]
        changed = client.patch("customers", customer["guid"], {"/number": 77001, "/notes": "x"})
        assert (changed["number"], changed["notes"]) == (77001, "x")

    def test_a_name_that_is_taken_is_refused(self, client: SeveraClient) -> None:
        taken = next(client.list("customers"))["name"]
        with pytest.raises(Refused) as caught:
            client.create("customers", {"name": taken})
        assert caught.value.status == 400

    def test_a_fee_is_taken_out_of_the_array(self, client: SeveraClient) -> None:
        project = next(row for row in client.list("projects") if not row["isClosed"])
        fee = client.create(
            "projectfees",
            {
                "project": {"guid": project["guid"]},
                "phase": {"guid": project["rootPhase"]["guid"]},
                "description": "Underkonsult",
                "eventDate": "2026-11-20",
                "quantity": 1,
                "unitCost": {"amount": Decimal("1999.95"), "currencyCode": "SEK"},
                "isBillable": False,
            },
        )
        assert client.get("projectfees", fee["guid"])["unitCost"]["amount"] == Decimal("1999.95")

    def test_a_file_is_uploaded_to_a_project_and_comes_back_the_same(self, client: SeveraClient) -> None:
        project = next(client.list("projects"))["guid"]
        content = b"%PDF-1.4\r\n--\x00\xff\r\n"
        client.upload(project, "Faktura å.pdf", "Leverantörsfaktura", content)
        [file] = [
            row for row in client.list("projects/files", parent=project) if row["name"] == "Faktura å.pdf"
        ]
        assert file["description"] == "Leverantörsfaktura"
        assert client.download("files", file["fileGuid"]) == content


def test_every_call_that_was_really_made_exists_in_the_document(
    source: str, url: str, client: SeveraClient
) -> None:
    paths = interface(SOURCES[source], "severa")["paths"]
    known = [
        (verb.upper(), re.compile(anonymous(path).replace("{}", "[^/]+") + "$"), operation)
        for path, verbs in paths.items()
        for verb, operation in verbs.items()
    ]
    invoice = drafted(url, client)
    since = datetime(2026, 1, 1, tzinfo=UTC)
    for name, register in REGISTERS.items():
        if register.list_path and not register.needs_parent and not name.startswith("integrations"):
            list(client.pages(name, changed_since=since))
    client.download("invoices/pdf", invoice["guid"])
    client.patch("invoices", invoice["guid"], {"/referenceNumber": "1"})
    client.create("customers", {"name": "Dokumenterad AB"})
    client.upload(invoice["projects"][0]["guid"], "a.txt", "", b"a")
    made = calls(url)
    assert len(made) > len(REGISTERS) / 2
    for call in made:
        path = call["path"].removeprefix("/rest-api")
        fits = [one for verb, pattern, one in known if verb == call["method"] and pattern.match(path)]
        assert any(set(parse_qs(call["query"])) <= query_names(one) for one in fits), call
