"""Severa's connector against answers that other installations may give, each in its own way: lists and writes."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import simplejson
from severa_script import guids, page, read, rows, severa
from unit.connectors.local_server import Act, answer, close

from connectors.severa import changed_at, parse_time
from domain.errors import (
    NotFound,
    NotKnown,
    OutcomeUnknown,
    RateLimited,
    Refused,
    ShortList,
    Unavailable,
)


class TestTokenPaging:
    def test_follows_the_header_whatever_its_case_and_repeats_the_filters(self) -> None:
        script = (page(rows(0, 100), nextpagetoken="two"), page(rows(100, 3)))
        with severa(*script) as (client, server):
            assert len(list(client.list("projects", isClosed=False))) == 103
            assert [request.target for request in server.requests] == [
                "/rest-api/v1/projects?isClosed=false&rowCount=100",
                "/rest-api/v1/projects?isClosed=false&rowCount=100&pageToken=two",
            ]
            assert server.requests[0].headers["client_id"] == "client"

    def test_goes_on_after_a_short_page(self) -> None:
        with severa(page(rows(0, 2), NextPageToken="a"), page([], NextPageToken="b"), page(rows(2, 1))) as (
            client,
            _,
        ):
            assert guids(client.list("customers")) == ["g0", "g1", "g2"]

    def test_a_page_that_is_repeated_for_ever_is_a_short_list_read_three_times(self) -> None:
        with severa(page(rows(0, 3), NextPageToken="same")) as (client, server):
            found, error = read(client.list("customers"))
            assert [row["guid"] for row in found] == ["g0", "g1", "g2"]
            assert isinstance(error, ShortList)
            assert (error.register, error.expected, error.got) == ("customers", None, 3)
            assert len(server.requests) == 6

    def test_a_token_that_comes_again_with_other_rows_is_no_end_either(self) -> None:
        script = (page(rows(0, 3), NextPageToken="a"), page(rows(3, 3), NextPageToken="a"))
        with severa(*script * 3) as (client, _):
            found, error = read(client.list("customers"))
            assert len(found) == 6
            assert isinstance(error, ShortList)

    def test_a_list_that_is_whole_when_read_again_is_whole_and_no_row_comes_twice(self) -> None:
        broken = answer(404, '{"error":{"type":"InvalidParameter","details":[]}}')
        script = (page(rows(0, 3), NextPageToken="a"), broken, page(rows(0, 3), NextPageToken="b"))
        with severa(*script, page(rows(3, 2))) as (client, _):
            assert guids(client.list("customers")) == ["g0", "g1", "g2", "g3", "g4"]

    def test_gives_up_on_pages_without_a_new_row_and_without_end(self) -> None:
        script = [page([], NextPageToken=f"t{number}") for number in range(30)]
        with severa(*script) as (client, server):
            with pytest.raises(NotKnown, match="20 pages without a new row"):
                list(client.list("customers"))
            assert len(server.requests) == 20

    def test_a_row_that_moved_to_the_next_page_comes_once(self) -> None:
        with severa(page(rows(0, 3), NextPageToken="a"), page(rows(2, 2))) as (client, _):
            assert guids(client.list("customers")) == ["g0", "g1", "g2", "g3"]

    def test_for_the_poller_a_row_that_changed_meanwhile_comes_again(self) -> None:
        with severa(page(rows(0, 2), NextPageToken="a"), page([*rows(1, 1, name="new"), *rows(0, 1)])) as (
            client,
            _,
        ):
            assert [one.rows for one in client.pages("customers")] == [
                [{"guid": "g0"}, {"guid": "g1"}],
                [{"guid": "g1", "name": "new"}],
            ]


class TestRowPaging:
    def test_a_whole_list_shorter_than_the_default_page_takes_one_call(self) -> None:
        with severa(page(rows(0, 5))) as (client, server):
            assert len(list(client.list("invoicestatuses"))) == 5
            assert len(server.requests) == 1

    def test_a_server_that_cuts_pages_below_what_was_asked_is_read_to_its_end(self) -> None:
        script = (page(rows(0, 50)), page(rows(50, 50)), page(rows(100, 7)))
        with severa(*script) as (client, server):
            assert len(list(client.list("currencies"))) == 107
            assert [request.target.split("?")[1] for request in server.requests] == [
                "firstRow=0&rowCount=100",
                "firstRow=50&rowCount=100",
                "firstRow=100&rowCount=100",
            ]

    def test_a_server_that_gives_everything_at_once_is_read_once(self) -> None:
        with severa(page(rows(0, 250))) as (client, server):
            assert len(list(client.list("currencies"))) == 250
            assert len(server.requests) == 2

    def test_an_exact_page_is_followed_by_a_look_for_more(self) -> None:
        with severa(page(rows(0, 100)), page([])) as (client, server):
            assert len(list(client.list("worktypes"))) == 100
            assert len(server.requests) == 2


class TestFilters:
    def test_a_foreign_row_tells_that_the_filter_was_ignored(self) -> None:
        with severa(page([{"guid": "a", "number": 7}, {"guid": "b", "number": 8}])) as (client, _):
            with pytest.raises(Refused, match="filter ignored: numbers") as caught:
                list(client.list("customers", numbers=["7"]))
            assert caught.value.fields["filters"] == ["numbers"]

    def test_what_a_looser_search_also_found_is_left_out(self) -> None:
        body = [{"guid": "a", "code": "ABC-1"}, {"guid": "b", "code": "abc"}, {"guid": "c", "code": None}]
        with severa(page(body)) as (client, _):
            assert guids(client.list("products", code="ABC")) == ["b", "c"]

    def test_numbers_are_compared_as_numbers(self) -> None:
        with severa(answer(200, '[{"guid":"a","number":42.0}]')) as (client, _):
            assert guids(client.list("customers", numbers=["42"])) == ["a"]

    def test_members_in_lists_and_alternatives_count(self) -> None:
        body = [
            {"guid": "a", "projects": [{"guid": "p1"}, {"guid": "p2"}], "customer": {"guid": "c1"}},
            {
                "guid": "b",
                "projects": [{"guid": "p2"}],
                "customer": {"guid": "x"},
                "billingCustomer": {"guid": "c1"},
            },
        ]
        with severa(page(body)) as (client, _):
            assert guids(client.list("invoices", projectGuids=["p2"], customerGuids=["c1"])) == ["a", "b"]
            with pytest.raises(Refused, match="projectGuids"):
                list(client.list("invoices", projectGuids=["p1"]))

    def test_dates_are_held_against_the_range_with_a_day_to_spare(self) -> None:
        start = datetime(2026, 11, 2, tzinfo=UTC)
        with severa(page([{"guid": "a", "date": "2026-11-01"}])) as (client, server):
            assert guids(client.list("invoices", startDate=start)) == ["a"]
            assert "startDate=2026-11-02T00%3A00%3A00.000Z" in server.requests[0].target
            with pytest.raises(Refused, match="startDate"):
                list(client.list("invoices", startDate="2026-11-03"))

    def test_names_that_the_server_would_ignore_are_refused_before_any_call(self) -> None:
        with severa(page([])) as (client, server):
            with pytest.raises(ValueError, match="customers has no filter number"):
                client.list("customers", number=7)
            with pytest.raises(ValueError, match="unknown register"):
                client.list("custommers")
            with pytest.raises(ValueError, match="parent"):
                list(client.list("invoices/invoicerows"))
            assert server.requests == []


class TestPoll:
    def test_changes_are_asked_for_in_utc_and_customers_with_their_addresses(self) -> None:
        since = datetime.fromisoformat("2026-11-02T10:00:00.1239+01:00")
        with severa(page([], Date="Mon, 02 Nov 2026 09:00:07 GMT")) as (client, server):
            [one] = client.pages("customers", changed_since=since)
            assert one.server_time == datetime(2026, 11, 2, 9, 0, 7, tzinfo=UTC)
            assert server.requests[0].target == (
                "/rest-api/v1/customers?changedSince=2026-11-02T09%3A00%3A00.123Z"
                "&changedSinceOptions=Addresses&changedSinceOptions=Contacts&rowCount=100"
            )
            list(client.pages("deletedprojectfees", changed_since=since))
            assert "deletedSince=" in server.requests[1].target

    def test_registers_without_a_change_filter_are_read_whole(self) -> None:
        with severa(page([])) as (client, server):
            list(client.pages("vatrates", changed_since=datetime(2026, 11, 2, tzinfo=UTC)))
            assert server.requests[0].target == "/rest-api/v1/vatrates"

    def test_a_single_object_is_a_page_of_one_row(self) -> None:
        with severa(page({"guid": "o", "name": "Nordkonsult"})) as (client, _):
            assert [one.rows for one in client.pages("organizationdetails")] == [
                [{"guid": "o", "name": "Nordkonsult"}]
            ]
            assert client.get("organizationdetails", "")["name"] == "Nordkonsult"

    def test_a_429_in_the_middle_does_not_throw_the_list_away(self) -> None:
        limited = answer(429, "API calls quota exceeded! maximum admitted 10 per 1s.", Retry_After="0")
        with severa(page(rows(0, 1), NextPageToken="a"), limited, limited, page(rows(1, 1))) as (client, _):
            assert guids(client.list("customers")) == ["g0", "g1"]

    def test_but_a_long_pause_is_left_to_the_caller(self) -> None:
        with severa(answer(429, "", Retry_After="60")) as (client, server):
            with pytest.raises(RateLimited):
                list(client.list("customers"))
            assert len(server.requests) == 1

    def test_a_maintenance_page_is_not_an_empty_list(self) -> None:
        # The vendor's document has no list that answers 204.
        for act in (answer(200, "<html>Maintenance</html>"), answer(200), answer(204), page({"items": []})):
            with severa(act) as (client, _), pytest.raises(NotKnown, match="could not be understood"):
                list(client.list("customers"))

    def test_a_stopping_process_reads_no_further_page(self) -> None:
        stop = threading.Event()
        with severa(page(rows(0, 1), NextPageToken="a"), page(rows(1, 1)), stop=stop) as (client, server):
            reading = client.pages("customers")
            next(reading)
            stop.set()
            with pytest.raises(Unavailable, match="stopping"):
                next(reading)
            assert len(server.requests) == 1


class TestWriting:
    @pytest.mark.parametrize("body", [{"guid": "n", "name": "A"}, [{"guid": "n", "name": "A"}]])
    @pytest.mark.parametrize("status", [200, 201])
    def test_a_created_record_is_taken_from_an_object_or_an_array(self, body: Any, status: int) -> None:
        with severa(page(body, status)) as (client, _):
            assert client.create("customers", {"name": "A"})["guid"] == "n"

    @pytest.mark.parametrize(
        "location",
        [
            "/v1/customers/n",
            "http://elsewhere.example/REST-API/V1/customers/n/",
            "https://x.example/v1/customers/n?a=1",
        ],
    )
    def test_without_a_body_it_is_read_by_its_location_on_our_own_host(self, location: str) -> None:
        with severa(answer(204, Location=location), page({"guid": "n", "name": "A"})) as (client, server):
            assert client.create("customers", {"name": "A"})["name"] == "A"
            assert server.requests[1].target == "/rest-api/v1/customers/n"

    def test_a_yes_that_names_nothing_has_to_be_looked_up(self) -> None:
        with severa(answer(201)) as (client, server):
            with pytest.raises(OutcomeUnknown, match="does not name"):
                client.create("customers", {"name": "A"})
            assert len(server.requests) == 1

    @pytest.mark.parametrize("act", [answer(500), answer(404), answer(429), close])
    def test_a_record_that_was_made_but_cannot_be_read_is_never_taken_for_not_made(self, act: Act) -> None:
        with (
            severa(answer(201, Location="/v1/customers/n"), act) as (client, _),
            pytest.raises(OutcomeUnknown),
        ):
            client.create("customers", {"name": "A"})

    def test_an_address_is_created_below_its_customer(self) -> None:
        with severa(page({"guid": "n"}, 201)) as (client, server):
            client.create("addresses", {"city": "Umeå"}, parent="c/1")
            assert server.requests[0].target == "/rest-api/v1/customers/c%2F1/addresses"

    def test_a_patch_is_an_array_in_the_order_given(self) -> None:
        with severa(page([{"guid": "x"}, {"guid": "i", "number": 7}])) as (client, server):
            changes = {"/number": 7, "/referenceNumber": "70", "/status/guid": "s", "/paymentDate": None}
            assert client.patch("invoices", "i", changes) == {"guid": "i", "number": 7}
            assert (server.requests[0].method, server.requests[0].target) == (
                "PATCH",
                "/rest-api/v1/invoices/i",
            )
            assert simplejson.loads(server.requests[0].body) == [
                {"op": "Replace", "path": "/number", "value": 7},
                {"op": "Replace", "path": "/referenceNumber", "value": "70"},
                {"op": "Replace", "path": "/status/guid", "value": "s"},
                {"op": "Replace", "path": "/paymentDate", "value": None},
            ]

    @pytest.mark.parametrize("act", [page({"guid": "c", "name": "B"}), page([{"guid": "c", "name": "B"}])])
    def test_the_patched_record_is_taken_from_an_object_or_an_array(self, act: Act) -> None:
        with severa(act) as (client, _):
            assert client.patch("contactcommunications", "c", {"/value": "B"})["name"] == "B"

    def test_a_patch_answered_with_nothing_is_followed_by_a_read(self) -> None:
        with severa(answer(204), page({"guid": "c", "name": "B"})) as (client, server):
            assert client.patch("customers", "c", {"/name": "B"})["name"] == "B"
            assert [request.method for request in server.requests] == ["PATCH", "GET"]

    def test_an_empty_guid_never_becomes_a_call_to_the_whole_register(self) -> None:
        with severa(page([])) as (client, server):
            with pytest.raises(ValueError, match="needs"):
                client.get("customers", "")
            with pytest.raises(ValueError, match="needs"):
                client.patch("customers", "", {"/name": "B"})
            assert server.requests == []

    def test_a_file_goes_up_as_the_document_shows(self) -> None:
        content = b"%PDF-1.7\r\n--\r\nbinary"
        with severa(page([{"guid": "f", "fileGuid": "d"}], 201)) as (client, server):
            assert client.upload("p", 'Faktura "7".pdf', "Kvitto å", content)["fileGuid"] == "d"
            [request] = server.requests
            kind, boundary = request.headers["content-type"].split("; boundary=")
            assert kind == "multipart/related"
            empty, described, data, end = request.body.split(f"--{boundary}".encode())
            assert (empty, end) == (b"", b"--\r\n")
            head, metadata = described.split(b"\r\n\r\n", 1)
            assert head == b"\r\nContent-Type: application/json"
            assert simplejson.loads(metadata) == {"Description": "Kvitto å", "Name": 'Faktura "7".pdf'}
            assert data == b"\r\nContent-Type: application/pdf\r\n\r\n" + content + b"\r\n"


class TestReading:
    def test_amounts_are_exact_and_unknown_members_are_kept(self) -> None:
        with severa(answer(200, '{"guid":"i","totalIncludingTax":{"amount":1234567.10},"new":1}')) as (
            client,
            _,
        ):
            body = client.get("invoices", "i")
        assert body["totalIncludingTax"]["amount"] == Decimal("1234567.10")
        assert body["new"] == 1

    def test_a_country_answers_a_list_of_one(self) -> None:
        with severa(page([{"guid": "se", "code2": "SE"}])) as (client, server):
            assert client.get("localization/countries", "Åland och så")["code2"] == "SE"
            assert (
                server.requests[0].target == "/rest-api/v1/localization/countries/%C3%85land%20och%20s%C3%A5"
            )
        with severa(page([])) as (client, _), pytest.raises(NotFound):
            client.get("localization/countries", "XX")

    def test_times_come_with_any_number_of_digits_and_with_or_without_zone(self) -> None:
        noon = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
        for text in (
            "2026-11-02T12:00:00Z",
            "2026-11-02T12:00:00",
            "2026-11-02T12:00:00.0",
            "2026-11-02T12:00:00.0000000Z",
            "2026-11-02T13:00:00.00+01:00",
        ):
            assert parse_time(text) == noon, text
        assert parse_time("2026-11-02T12:00:00.1234567Z") == noon.replace(microsecond=123456)
        assert parse_time("soon") is None
        assert parse_time(None) is None

    def test_a_row_changed_when_it_was_made_or_last_updated(self) -> None:
        assert changed_at(
            {"createdDateTime": "2026-11-02T12:00:00Z", "lastUpdatedDateTime": None}
        ) == datetime(2026, 11, 2, 12, tzinfo=UTC)
        assert changed_at({"name": "x"}) is None
