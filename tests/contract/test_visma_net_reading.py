"""How the Visma.net connector reads servers that keep the vendor's contract in their own, peculiar ways."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from peculiar_erp import Peculiar, Seen, client_of, paged, row
from starlette.responses import JSONResponse, Response

from connectors.visma_net import filter_day, filter_time, parse_time
from domain.errors import BridgeError, NotFound, NotKnown, Refused, RegisterMissing, ShortList

# ---------------------------------------------------------------- pages


@pytest.mark.parametrize("metadata", [True, False])
def test_a_page_size_that_is_cut_silently_loses_no_row(*, metadata: bool) -> None:
    server = Peculiar(paged([row(n) for n in range(25)], cap=10, metadata=metadata))
    with client_of(server) as client:
        assert [one["internalId"] for one in client.list("customer")] == list(range(25))


def test_a_server_with_smaller_pages_than_its_metadata_says_loses_no_row() -> None:
    inner = paged([row(n) for n in range(25)], cap=10)

    def answer(seen: Seen) -> Response:
        rows = json.loads(bytes(inner(seen).body))
        for one in rows:
            one["metadata"]["maxPageSize"] = 1000
        return JSONResponse(rows)

    with client_of(Peculiar(answer)) as client:
        assert len(list(client.list("customer"))) == 25


def read(rows: Iterator[dict[str, Any]]) -> tuple[list[dict[str, Any]], BridgeError | None]:
    """The rows that came, and what the reading ended with."""
    got: list[dict[str, Any]] = []
    try:
        for one in rows:
            got.append(one)
    except BridgeError as error:
        return got, error
    return got, None


def test_a_server_that_ignores_the_page_number_is_a_short_list_read_three_times() -> None:
    rows = [row(n, metadata={"totalCount": 900, "maxPageSize": 1000}) for n in range(3)]
    server = Peculiar(lambda _seen: JSONResponse(rows))
    with client_of(server) as client:
        found, error = read(client.list("customer"))
    assert len(found) == 3
    assert isinstance(error, ShortList)
    assert (error.system, error.register, error.expected, error.got) == ("visma_net", "customer", 900, 3)
    assert len(server.seen) == 6


def test_a_short_list_that_is_whole_when_read_again_is_whole() -> None:
    rows = [row(n, metadata={"totalCount": 5, "maxPageSize": 3}) for n in range(5)]
    pages = [rows[:3], [], rows[:3], rows[3:]]
    with client_of(Peculiar(lambda _seen: JSONResponse(pages.pop(0)))) as client:
        assert [one["internalId"] for one in client.list("customer")] == [0, 1, 2, 3, 4]


def test_a_row_that_changed_before_it_was_read_again_comes_again_to_the_poller() -> None:
    first = [row(n, metadata={"totalCount": 3}) for n in (1, 2)]
    again = [row(1, metadata={"totalCount": 3}), row(2, email="b", metadata={"totalCount": 3}), row(3)]
    pages = [first, [], again]
    with client_of(Peculiar(lambda _seen: JSONResponse(pages.pop(0)))) as client:
        found = [one["number"] for page in client.pages("customer") for one in page.rows]
    assert found == ["1", "2", "2", "3"]


def test_a_count_that_goes_down_meanwhile_may_hide_a_row_that_slipped_forward() -> None:
    def counted(total: int, *numbers: int) -> list[dict[str, Any]]:
        return [row(n, metadata={"totalCount": total}) for n in numbers]

    # Row 1 is removed after page 1: row 3 moves onto it, and four rows of four are here without it.
    pages = [counted(5, 1, 2), counted(4, 4, 5), counted(4, 2, 3), counted(4, 4, 5)]
    with client_of(Peculiar(lambda _seen: JSONResponse(pages.pop(0)))) as client:
        assert sorted(one["internalId"] for one in client.list("customer")) == [1, 2, 3, 4, 5]


def test_that_a_whole_register_is_empty_is_asked_twice() -> None:
    pages: list[list[dict[str, Any]]] = [[], [row(1, metadata={"totalCount": 1})]]
    with client_of(Peculiar(lambda _seen: JSONResponse(pages.pop(0)))) as client:
        assert [one["number"] for page in client.pages("customer") for one in page.rows] == ["1"]


def test_rows_that_cannot_be_used_make_a_list_incomplete_and_the_others_are_given() -> None:
    rows = [row(1, metadata={"totalCount": 4}), {"name": "no key"}, "word", row(2)]
    server = Peculiar(lambda _seen: JSONResponse(rows))
    with client_of(server) as client:
        found, error = read(client.list("customer"))
    assert [one["number"] for one in found] == ["1", "2"]
    assert isinstance(error, ShortList)
    assert (error.expected, error.got) == (4, 2)
    # Reading again would not mend them.
    assert len(server.seen) == 1


def test_a_row_that_slips_onto_the_next_page_is_given_once() -> None:
    pages = {"1": [row(1), row(2)], "2": [row(2), row(3)], "3": []}
    server = Peculiar(lambda seen: JSONResponse(pages[seen.query["pageNumber"]]))
    with client_of(server) as client:
        assert [one["internalId"] for one in client.list("customer")] == [1, 2, 3]


def test_a_later_page_that_is_not_found_is_no_end() -> None:
    def answer(seen: Seen) -> Response:
        return JSONResponse([row(1)]) if seen.query["pageNumber"] == "1" else Response(status_code=404)

    with client_of(Peculiar(answer)) as client:
        found, error = read(client.list("customer"))
    assert [one["internalId"] for one in found] == [1]
    assert isinstance(error, ShortList)


def test_a_list_that_is_not_found_is_no_empty_list() -> None:
    with client_of(Peculiar(lambda _seen: Response(status_code=404))) as client:
        with pytest.raises(RegisterMissing) as caught:
            list(client.list("creditTerm"))
        assert caught.value.operation == "GET /v1/creditTerm"


def test_numbers_of_invoices_and_credit_notes_may_be_the_same() -> None:
    rows = [
        {
            "documentType": kind,
            "referenceNumber": "100245",
            "metadata": {"totalCount": 2, "maxPageSize": 1000},
        }
        for kind in ("Invoice", "Credit Note")
    ]
    with client_of(Peculiar(lambda _seen: JSONResponse(rows))) as client:
        assert [one["documentType"] for one in client.list("customerdocument")] == ["Invoice", "CreditNote"]


def test_the_envelope_of_credit_terms_is_taken_off_and_paged() -> None:
    terms = [{"termsId": str(n)} for n in range(7)]

    def answer(seen: Seen) -> Response:
        number = int(seen.query["pageNumber"])
        part = terms[(number - 1) * 5 : number * 5]
        return JSONResponse({"pageNumber": number, "pageSize": 5, "totalCount": 7, "records": part})

    server = Peculiar(answer)
    with client_of(server) as client:
        assert [one["termsId"] for one in client.list("creditTerm")] == [str(n) for n in range(7)]
    assert len(server.seen) == 2


def test_a_register_without_paging_parameters_gets_none() -> None:
    server = Peculiar(lambda _seen: JSONResponse([{"numberingId": "ARINVOICE"}]))
    with client_of(server) as client:
        assert list(client.list("numberSequence")) == [{"numberingId": "ARINVOICE"}]
    assert server.seen[0].query == {}


def test_the_list_of_dimensions_is_a_list_of_words() -> None:
    with client_of(Peculiar(lambda _seen: JSONResponse(["CUSTOMER", "PROJECT"]))) as client:
        assert list(client.list("dimension")) == [{"id": "CUSTOMER"}, {"id": "PROJECT"}]


def test_a_journal_batch_split_over_two_pages_is_put_together() -> None:
    def batch(number: str, *lines: int) -> dict[str, Any]:
        shown = [{"lineNumber": line, "debitAmount": 10.5} for line in lines]
        count = {"totalCount": 5, "maxPageSize": 3}
        return {
            "module": "ModuleGL",
            "batchNumber": number,
            "journalTransactionLines": shown,
            "metadata": count,
        }

    pages = {"1": [batch("A", 1), batch("B", 1, 2)], "2": [batch("B", 3), batch("C", 1)], "3": []}
    server = Peculiar(lambda seen: JSONResponse(pages[seen.query["pageNumber"]]))
    with client_of(server) as client:
        (page,) = client.pages("journaltransaction")
    assert [(one["batchNumber"], len(one["journalTransactionLines"])) for one in page.rows] == [
        ("A", 1),
        ("B", 3),
        ("C", 1),
    ]
    assert server.seen[0].query["lastModifiedDateTime"] == "1990-01-01"


def test_journals_counted_in_batches_instead_of_lines_lose_none() -> None:
    lines = [{"lineNumber": n} for n in range(400)]
    batches = [
        {"module": "ModuleGL", "batchNumber": str(n), "journalTransactionLines": lines} for n in range(4)
    ]
    server = Peculiar(paged(batches, cap=2))
    with client_of(server) as client:
        (page,) = client.pages("journaltransaction")
    assert [one["batchNumber"] for one in page.rows] == ["0", "1", "2", "3"]


# ---------------------------------------------------------------- filters


def test_an_ignored_filter_makes_the_whole_list_unusable() -> None:
    rows = [
        {"documentType": "Invoice", "referenceNumber": "1", "customer": {"number": "10001"}},
        {"documentType": "Invoice", "referenceNumber": "2", "customer": {"number": "10002"}},
    ]
    with (
        client_of(Peculiar(lambda _seen: JSONResponse(rows))) as client,
        pytest.raises(Refused, match=r"filter ignored: customer=10001"),
    ):
        list(client.list("customerdocument", customer="10001"))


def test_a_poll_leaves_out_rows_that_are_far_older_than_asked_for() -> None:
    rows = [
        row(1, lastModifiedDateTime="2026-03-20T06:35:22.15"),
        row(2, lastModifiedDateTime="2024-01-01T00:00:00"),
    ]
    pages = {"1": rows, "2": []}
    with client_of(Peculiar(lambda seen: JSONResponse(pages[seen.query["pageNumber"]]))) as client:
        since = datetime(2026, 3, 20, tzinfo=UTC)
        found = [one for page in client.pages("customer", changed_since=since) for one in page.rows]
    assert [one["number"] for one in found] == ["1"]


def test_changes_are_asked_for_with_their_condition_in_server_time_without_a_zone() -> None:
    server = Peculiar(lambda _seen: JSONResponse([]))
    with client_of(server) as client:
        list(
            client.pages("customerdocument", changed_since=datetime(2026, 7, 1, 8, 0, 0, 250_000, tzinfo=UTC))
        )
        list(client.list("customerdocument", documentDate=datetime(2026, 2, 28, 23, 30, tzinfo=UTC)))
        list(client.list("customerdocument", createdDateTime="2026-02-28", createdDateTimeCondition="<"))
        list(client.list("customer", expandPaymentMethods=True))
    first, second, third, fourth = (seen.query for seen in server.seen)
    assert first["lastModifiedDateTime"] == "2026-07-01T10:00:00.250"
    assert first["lastModifiedDateTimeCondition"] == ">="
    assert (first["pageNumber"], first["pageSize"]) == ("1", "500")
    assert (second["documentDate"], second["documentDateCondition"]) == ("2026-03-01", ">=")
    assert (third["createdDateTime"], third["createdDateTimeCondition"]) == ("2026-02-28", "<")
    assert fourth["expandPaymentMethods"] == "true"


def test_a_misspelt_filter_never_leaves_the_house() -> None:
    server = Peculiar(lambda _seen: JSONResponse([]))
    with client_of(server) as client, pytest.raises(ValueError, match="customerNumber"):
        client.list("customerdocument", customerNumber="10001")
    assert server.seen == []


def test_inventory_is_read_without_its_expansions() -> None:
    server = Peculiar(lambda _seen: JSONResponse([]))
    with client_of(server) as client:
        list(client.pages("inventory"))
    flags = {name: value for name, value in server.seen[0].query.items() if name.startswith("expand")}
    assert len(flags) == 9
    assert set(flags.values()) == {"false"}


# ---------------------------------------------------------------- records


def test_wrapped_scalars_are_unwrapped_and_numbers_are_exact() -> None:
    body = b'{"referenceNumber":{"value":"100245"},"documentType":{"value":"Credit Note"},"amount":1234.7700,"x":null}'
    server = Peculiar(
        lambda _seen: Response(body, headers={"ETAG": '"AAAA="'}, media_type="application/json")
    )
    with client_of(server) as client:
        stored = client.get("customerCreditNote", "100245")
    assert stored.body == {
        "referenceNumber": "100245",
        "documentType": "CreditNote",
        "amount": Decimal("1234.7700"),
        "x": None,
    }
    assert isinstance(stored.body["amount"], Decimal)
    assert stored.etag == '"AAAA="'


def test_a_key_with_reserved_characters_goes_as_base64() -> None:
    records: list[dict[str, Any]] = [
        {"inventoryNumber": ":/?#[]@&*+;"},
        {"inventoryNumber": "RÖR-1.5 "},
        {"documentType": "Debit Adj", "referenceNumber": "200771"},
        {"internalId": 4711, "number": "10001"},
    ]
    server = Peculiar(lambda _seen: JSONResponse(records.pop(0)))
    with client_of(server) as client:
        client.get("inventory", ":/?#[]@&*+;")
        client.get("inventory", "RÖR-1.5")
        client.get("supplierInvoice", "DebitAdj/200771")
        client.get("customer/internal", "4711")
    assert [seen.path for seen in server.seen] == [
        "/v1/inventory/b64(Oi8_I1tdQCYqKzs)",
        "/v1/inventory/R%C3%96R-1.5",
        "/v1/supplierInvoice/DebitAdj/200771",
        "/v1/customer/internal/4711",
    ]


@pytest.mark.parametrize(
    ("status", "body"),
    [(204, ""), (200, ""), (200, "null"), (200, "[]"), (200, "{}"), (200, "<html>Signed out</html>")],
)
def test_an_empty_answer_to_a_single_read_is_not_known(status: int, body: str) -> None:
    with client_of(Peculiar(lambda _seen: Response(body, status))) as client, pytest.raises(NotKnown):
        client.get("customer", "10001")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Response(status_code=404), NotFound),
        (JSONResponse({"message": "The customer was not found."}, 404), NotFound),
        (Response("<html>404</html>", 404, media_type="text/html"), NotKnown),
        (Response("404 page not found", 404, media_type="text/plain"), NotKnown),
        (
            JSONResponse({"Message": "No HTTP resource was found that matches the request URI."}, 404),
            NotKnown,
        ),
        (JSONResponse({"value": None}, 404), NotKnown),
    ],
)
def test_only_the_erps_own_404_says_that_a_record_is_gone(answer: Response, error: type[BridgeError]) -> None:
    with client_of(Peculiar(lambda _seen: answer)) as client, pytest.raises(error) as caught:
        client.get("customer", "10001")
    assert type(caught.value) is error


def test_another_record_than_the_one_asked_for_is_not_known() -> None:
    with client_of(Peculiar(lambda _seen: JSONResponse(row(7)))) as client:
        assert client.get("customer", "7").body["name"] == "Kund 7"
        assert client.get("customer/internal", "7").body["name"] == "Kund 7"
        for register, key in (("customer", "8"), ("customer/internal", "70"), ("customer", "07")):
            with pytest.raises(NotKnown, match="not the record"):
                client.get(register, key)


@pytest.mark.parametrize("garbage", ["abc", "", "1,5", "1_000", "NaN", "Infinity", "1e400", "٣", True, [1]])
def test_garbage_where_the_document_has_a_number_is_not_zero(garbage: object) -> None:
    lines = [{"lineNumber": 1, "unitPrice": garbage}]
    body = {"documentType": "Invoice", "referenceNumber": "1", "invoiceLines": lines}
    with client_of(Peculiar(lambda _seen: JSONResponse(body))) as client:
        with pytest.raises(NotKnown, match="unitPrice is no number"):
            client.get("customerinvoice", "1")
        lines[0]["unitPrice"] = " -12.50 "
        assert client.get("customerinvoice", "1").body["invoiceLines"][0]["unitPrice"] == " -12.50 "


# ---------------------------------------------------------------- times


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-20T06:35:22.153", datetime(2026, 3, 20, 5, 35, 22, 153_000, tzinfo=UTC)),
        ("2026-03-20T06:35:22.74", datetime(2026, 3, 20, 5, 35, 22, 740_000, tzinfo=UTC)),
        ("2026-07-20 06:35:22", datetime(2026, 7, 20, 4, 35, 22, tzinfo=UTC)),
        ("2026-03-20T06:35:22.1234567Z", datetime(2026, 3, 20, 6, 35, 22, 123_456, tzinfo=UTC)),
        ("2026-03-20T06:35:22+01:00", datetime(2026, 3, 20, 5, 35, 22, tzinfo=UTC)),
        ("2026-03-20T06:35:22-0530", datetime(2026, 3, 20, 12, 5, 22, tzinfo=UTC)),
        ("2026-03-17", datetime(2026, 3, 16, 23, 0, tzinfo=UTC)),
        ("2026-10-25T02:30:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("0001-01-01T00:00:00", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_times_are_read_with_any_fraction_with_and_without_a_zone(text: str, moment: datetime) -> None:
    assert parse_time(text) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "2026-03-20T25:00:00", "9" * 10_000])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no time|month|hour|day"):
        parse_time(text)


def test_filters_take_local_time_and_no_zone() -> None:
    moment = datetime(2026, 1, 31, 23, 15, 0, tzinfo=UTC)
    assert filter_time(moment) == "2026-02-01T00:15:00"
    assert filter_time(moment, "Europe/Helsinki") == "2026-02-01T01:15:00"
    assert filter_day(moment) == "2026-02-01"
