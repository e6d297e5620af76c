"""What people are shown: on a terminal, in a pipe, in Excel; in the tenant's language and zone."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len

from app.cli import showing
from app.cli.showing import Reader, Screen, indented, print_csv, table
from app.cli.wording import WORDS, word
from domain.model import DOMAINS

SWEDISH = Reader("sv", ZoneInfo("Europe/Stockholm"))
SENTENCE = (
    "Fakturan till Skärgårdsrederiet AB på 36 796,28 SEK är bokförd som 100002 och skickas till kunden i dag."
)
NAME = "Mälarbygg Entreprenad Aktiebolag"
Shown = Callable[[Callable[[], object]], list[str]]


@pytest.fixture(params=[None, 80, 120], ids=["pipe", "80 columns", "120 columns"])
def width(request: pytest.FixtureRequest) -> int | None:
    found: int | None = request.param
    return found


@pytest.fixture
def shown(width: int | None, monkeypatch: pytest.MonkeyPatch) -> Shown:
    """Lines of what is printed, as a terminal of that width gets them, or a pipe."""
    out = io.StringIO()
    screen = Screen(file=out, highlight=False, width=width, force_terminal=width is not None, no_color=True)
    monkeypatch.setattr(showing, "console", screen)

    def run(what: Callable[[], object]) -> list[str]:
        what()
        return re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue()).splitlines()

    return run


@pytest.mark.req("R-LOG-1")
def test_a_cell_is_in_one_line_where_nobody_looks_on_and_never_wider_than_a_terminal(
    width: int | None, shown: Shown
) -> None:
    rows = [
        ("2026-11-20 13:00:00", SENTENCE, NAME, NAME, SENTENCE),
        ("2026-11-20 13:00:01", "två\nrader", NAME, NAME, ""),
    ]
    lines = shown(lambda: table("Överföringslogg", ("tid", "vad som hände", "kund", "köpare", "mer"), rows))
    if width is None:
        assert lines[2] == f"2026-11-20 13:00:00  {SENTENCE}  {NAME}  {NAME}  {SENTENCE}"
        assert lines[3] == f"2026-11-20 13:00:01  två rader{' ' * (len(SENTENCE) - 9)}  {NAME}  {NAME}"
    else:
        assert max(cell_len(line) for line in lines) <= width
        assert SENTENCE not in "\n".join(lines)
    # A time over two lines is read wrong.
    assert sum("2026-11-20 13:00:00" in line for line in lines) == 1


def test_a_paragraph_is_one_line_in_a_pipe_and_indented_throughout_on_a_terminal(
    width: int | None, shown: Shown
) -> None:
    lines = shown(lambda: indented(SENTENCE + SENTENCE))
    if width is None:
        assert lines == ["   " + SENTENCE + SENTENCE]
    else:
        assert len(lines) > 1
        assert all(line.startswith("   ") and cell_len(line) <= width for line in lines)


@pytest.mark.req("R-LOG-1")
def test_times_are_the_tenants_in_summer_and_winter() -> None:
    assert SWEDISH.when("2026-07-01T12:00:00+00:00") == "2026-07-01 14:00:00"
    assert SWEDISH.when(datetime(2026, 12, 1, 12, tzinfo=UTC)) == "2026-12-01 13:00:00"
    assert SWEDISH.when(None) == "–"
    assert Reader().when("2026-07-01T12:00:00+00:00") == "2026-07-01 12:00:00"


def test_headings_are_in_the_tenants_language(shown: Shown) -> None:
    rows = [("2026-11-20", "1")]
    lines = shown(lambda: SWEDISH.table("Luckor", ("time", "number"), rows, timed=True))
    assert "Luckor (tider i Europe/Stockholm)" in lines[0]
    assert "tid" in "".join(lines)
    assert "nummer" in "".join(lines)


def test_nothing_is_said_in_both_languages(shown: Shown) -> None:
    lines = shown(lambda: (SWEDISH.table("Luckor", ("time",), []), Reader().table("Gaps", ("time",), [])))
    assert lines == ["Luckor: inga.", "Gaps: none."]


def test_every_domain_has_a_word_and_a_word_that_is_not_known_stands_for_itself() -> None:
    for domain in (*DOMAINS, "connection", "poll"):
        assert f"domain.{domain}" in WORDS
    assert word("outcome.of_a_later_version", "sv") == "of_a_later_version"
    assert all(text.sv and text.en for text in WORDS.values())


@pytest.mark.req("R-INV-5")
def test_csv_is_what_a_swedish_excel_opens(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    print_csv(("namn", "antal"), [('Å; "B" AB', 2), ("=1+1", None), ("-19800", 3)])
    out = capfdbinary.readouterr().out
    assert out.startswith(b"\xef\xbb\xbf")
    assert out.endswith(b"\r\n")
    text = out.decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text), delimiter=";")) == [
        ["namn", "antal"],
        ['Å; "B" AB', "2"],
        ["'=1+1", ""],
        ["'-19800", "3"],
    ]
