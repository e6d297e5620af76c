"""The documentation says what the code does: made pages are up to date, and what the others name exists."""

from __future__ import annotations

import re
import runpy
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "ops" / "scripts"))

# The scripts are no package: mypy knows them only when it is given ops/scripts as well.
import docs_code  # type: ignore[import-not-found, unused-ignore]
import docs_common  # type: ignore[import-not-found, unused-ignore]
import docs_schedules  # type: ignore[import-not-found, unused-ignore]
import docs_sources  # type: ignore[import-not-found, unused-ignore]
from typer.main import get_command

from app import cli
from app.running import Ended
from app.settings import Settings
from domain.setup.settings import FileSettings, TenantFile, TenantSettings, read_tenant_file

ROOT = Path(__file__).resolve().parents[2]
# By its path: the name of the script is that of the folder docs/, too.
script: dict[str, Any] = runpy.run_path(str(ROOT / "ops" / "scripts" / "docs.py"))
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
# Written by hand but for one drawing, and one table.
WRITTEN = [path for path in PAGES if path.stem not in {*script["PAGES"]} - {"states", "never-twice"}]
page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
written = pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.relative_to(ROOT).as_posix())


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


class TestMadePages:
    @pytest.mark.parametrize("name", list(script["PAGES"]))
    def test_a_page_that_repeats_the_code_is_up_to_date(self, name: str) -> None:
        assert text_of(ROOT / "docs" / f"{name}.md") == script["PAGES"][name](), "run `make docs`"

    def test_a_stale_page_is_named_and_writing_it_makes_it_right(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "settings.md").write_text("old", encoding="utf-8")
        assert script["main"](["--check", "--into", str(tmp_path), "settings"]) == 1
        assert "settings.md is stale" in capsys.readouterr().err
        assert script["main"](["--into", str(tmp_path), "settings"]) == 0
        assert script["main"](["--check", "--into", str(tmp_path), "settings"]) == 0

    def test_a_missing_part_of_the_code_is_one_line(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setitem(sys.modules, "domain.catalogue", None)
        assert script["main"](["--into", str(tmp_path), "problems"]) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert "domain.catalogue cannot be imported" in said

    def test_every_setting_stands_on_the_page_of_settings(self) -> None:
        made = docs_code.settings_page()
        for name in Settings.model_fields:
            assert f"`BRIDGE_{name.upper()}`" in made
        for name in TenantSettings.model_fields:
            assert f"`settings.{name}`" in made or f"| `{name}`" in made

    def test_the_example_file_is_valid_and_names_every_key(self) -> None:
        values = tomllib.loads(text_of(ROOT / "docs" / "tenant.example.toml"))
        read = read_tenant_file(values)
        assert _keys(values) == {key for key, _ in docs_code.tenant_fields(TenantFile)}
        # What may be left out shows its default, so that the example is a reference as well.
        usual = FileSettings().model_dump(exclude={"invoices_from", "costs_from"})
        assert read.settings.model_dump(exclude={"invoices_from", "costs_from"}) == usual

    def test_no_description_is_kept_for_a_key_that_is_gone(self) -> None:
        assert set(docs_code.KEYS) <= {key for key, _ in docs_code.tenant_fields(TenantFile)}

    def test_a_key_without_description_stops_the_page(self) -> None:
        class New(BaseModel):
            surprise: str = ""

        with pytest.raises(docs_common.NotComplete, match="surprise"):
            list(docs_code.described(docs_code.tenant_fields(New)))

    def test_a_setting_that_nothing_looks_at_is_told_from_one_that_works(self) -> None:
        assert docs_code.is_used("costs")
        assert docs_code.is_used("item_class_labour") is False

    def test_every_exit_code_has_its_meaning(self) -> None:
        assert {int(code) for code in Ended} <= set(docs_code.EXIT_CODES)
        known = {" ".join(path) for path, _ in docs_code.commands(get_command(cli.app))}
        assert set(docs_code.EXITS) <= known


def _keys(values: dict[str, object], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for name, value in values.items():
        found |= _keys(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}"}
    return found


class TestSchedules:
    def test_every_schedule_has_a_test_or_is_named_as_a_gap(self) -> None:
        known = docs_schedules.schedules()
        assert list(known) == [f"S{number}" for number in range(1, 51)]
        tests = docs_schedules.proven(ROOT / "tests", set(known))
        assert set(known) - tests.keys() - docs_schedules.gaps().keys() == set()

    def test_no_gap_outlives_the_test_that_closes_it(self) -> None:
        known = docs_schedules.schedules()
        named = docs_schedules.gaps().keys()
        assert named <= known.keys()
        assert named & docs_schedules.proven(ROOT / "tests", set(known)).keys() == set()

    def test_markers_count_wherever_they_stand_but_not_on_a_test_that_is_known_to_fail(
        self, tmp_path: Path
    ) -> None:
        folder = tmp_path / "tests"
        (folder / "simulation").mkdir(parents=True)
        (folder / "simulation" / "red.txt").write_text(
            "# red for now\ntest_play.py::test_red[a case: x]\n", encoding="utf-8"
        )
        (folder / "simulation" / "test_play.py").write_text(
            "import pytest\n"
            "@pytest.mark.schedule('S1')\n"
            "def test_red(): ...\n"
            "@pytest.mark.schedule('S1', 'S2')\n"
            "def test_green(): ...\n",
            encoding="utf-8",
        )
        (folder / "test_some.py").write_text(
            "import pytest\n"
            "pytestmark = pytest.mark.schedule('S3')\n"
            "CASES = [1, pytest.param(2, marks=pytest.mark.schedule('S4'))]\n"
            "@pytest.mark.parametrize('x', CASES)\n"
            "def test_cases(x): ...\n"
            "def test_plain(): ...\n",
            encoding="utf-8",
        )
        assert docs_schedules.proven(folder, {"S1", "S2", "S3", "S4"}) == {
            "S1": ["tests/simulation/test_play.py::test_green"],
            "S2": ["tests/simulation/test_play.py::test_green"],
            "S3": ["tests/test_some.py::test_cases", "tests/test_some.py::test_plain"],
            "S4": ["tests/test_some.py::test_cases"],
        }

    @pytest.mark.parametrize("wrong", ["S0", "S51", "s1", "1"])
    def test_a_schedule_that_does_not_exist_is_refused(self, tmp_path: Path, wrong: str) -> None:
        folder = tmp_path / "tests"
        folder.mkdir()
        (folder / "test_some.py").write_text(
            f"import pytest\n@pytest.mark.schedule('{wrong}')\ndef test_one(): ...\n", encoding="utf-8"
        )
        with pytest.raises(docs_common.NotComplete, match="is no schedule"):
            docs_schedules.proven(folder, set(docs_schedules.schedules()))

    def test_rules_named_anywhere_stand_on_the_page(self) -> None:
        rules = set(re.findall(r"^\*\*(\d+a?)\.", text_of(ROOT / "docs" / "never-twice.md"), re.MULTILINE))
        assert rules == {*map(str, range(1, 24)), "2a"}
        folders = ("actors", "app", "connectors", "db", "domain", "tests")
        for path in [path for folder in folders for path in (ROOT / folder).rglob("*.py")]:
            for named in re.findall(r"never-twice\.md rules? (\d[\da, tond-]*)", text_of(path)):
                assert set(re.findall(r"\d+a?", named)) <= rules, path

    def test_no_rule_is_told_by_a_paper_that_is_not_here(self) -> None:
        folders = ("actors", "app", "connectors", "db", "domain", "ops", "simulators", "web")
        files = [path for folder in folders for path in (ROOT / folder).rglob("*.*")]
        for path in [path for path in files if path.suffix in {".py", ".sql", ".md"}]:
            if path.parent != ROOT / "ops" / "scripts":
                assert re.findall(r"(?<!docs/)\b(?:never-twice|house|design)\.md", text_of(path)) == [], path


def test_every_open_question_of_the_code_is_listed() -> None:
    sources = [*(ROOT / "domain").rglob("*.py"), *(ROOT / "connectors").rglob("*.py")]
    written_down = sum(len(re.findall("open question", text_of(path), re.IGNORECASE)) for path in sources)
    listed = docs_sources.open_questions()
    assert len(listed) == written_down
    assert all(holder and question for _, holder, question in listed)


class TestWhatIsNamedExists:
    @page
    def test_links_lead_somewhere(self, path: Path) -> None:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text_of(path)):
            assert target.startswith("https://") or (path.parent / target).exists(), target

    @written
    def test_files_and_tests_named_are_there(self, path: Path) -> None:
        for name in _paths(text_of(path)):
            place, _, test = name.partition("::")
            assert list(ROOT.glob(place)), name
            assert not test or f"def {test.rpartition('::')[2]}(" in text_of(ROOT / place), name

    @page
    def test_variables_named_are_documented(self, path: Path) -> None:
        known = {f"BRIDGE_{name.upper()}" for name in Settings.model_fields} | set(docs_code.OTHER_VARIABLES)
        assert set(re.findall(r"BRIDGE_[A-Z_]+[A-Z]", text_of(path))) <= known

    @written
    def test_commands_named_exist(self, path: Path) -> None:
        known = {path for path, _ in docs_code.commands(get_command(cli.app))}
        for words in re.findall(r"severa-bridge ((?:[a-z][a-z-]+ ?)+)", text_of(path)):
            called = tuple(words.split())
            # a tenant's name may follow
            assert called[:1] in known or called[:2] in known, words

    def test_pages_that_the_code_points_at_are_there(self) -> None:
        folders = ("actors", "app", "connectors", "db", "domain", "ops", "simulators", "web")
        for path in [path for folder in folders for path in (ROOT / folder).rglob("*.py")]:
            for name in re.findall(r"docs/(decisions/\d{4}|[a-z-]+\.md)", text_of(path)):
                assert list((ROOT / "docs").glob(f"{name}*")), (
                    f"{path.relative_to(ROOT)} points at docs/{name}"
                )

    def test_variables_of_the_shipped_files_are_documented(self) -> None:
        known = {f"BRIDGE_{name.upper()}" for name in Settings.model_fields} | set(docs_code.OTHER_VARIABLES)
        for name in ("docker-compose.yml", "ops/compose.env.example", "ops/README.md", "Makefile"):
            assert set(re.findall(r"BRIDGE_[A-Z_]+[A-Z]", text_of(ROOT / name))) <= known, name


def test_the_glossary_is_short_sorted_and_says_where() -> None:
    rows = re.findall(
        r"^\| (.+?) \| (.+?) \| (.+?) \|$", text_of(ROOT / "docs" / "glossary.md"), re.MULTILINE
    )[1:]
    words = [word for word, _, _ in rows]
    assert 25 <= len(words) <= 36
    assert words == sorted(words, key=lambda word: word.replace("-", " "))
    for word, means, where in rows:
        assert means, word
        assert "`" in where or "](" in where, word


def test_the_changelog_shouts_about_every_migration() -> None:
    shouted = "".join(re.findall(r"(?m)^> .*\n", text_of(ROOT / "CHANGELOG.md")))
    for file in (ROOT / "db" / "migrations").glob("*.sql"):
        assert file.name in shouted


def _paths(text: str) -> Iterator[str]:
    """Paths of the project in code style, with a test's name behind '::' where it has one."""
    folders = "actors|app|benchmarks|connectors|db|docs|domain|ops|simulators|tests|web"
    for found in re.findall(rf"`((?:{folders})/[\w./*-]*(?:::\w+)*)`", text):
        yield str(found)


class TestStates:
    STATES = ROOT / "docs" / "states.md"

    def test_every_state_of_the_tables_is_explained(self) -> None:
        explained = text_of(self.STATES)
        tables = "".join(text_of(file) for file in sorted((ROOT / "db" / "migrations").glob("*.sql")))
        checks = re.findall(r"check \((?:state|writes|level) in \(([^)]+)\)\)", tables)
        assert len(checks) >= 4
        for state in re.findall(r"'(\w+)'", " ".join(checks)):
            assert f"`{state}`" in explained or re.search(rf"(?:-->|:) {state}\b", explained), state

    def test_every_statement_that_moves_a_row_is_named(self) -> None:
        moving = {
            name
            for name, sql in _statements("outbox", "claim").items()
            if re.search(r"^(insert|update|delete)\b", sql, re.MULTILINE)
        }
        explained = text_of(self.STATES)
        assert {"announce", "take", "start", "permit", "asked", "reap", "finish"} <= moving
        for name in moving:
            assert f"`{name}`" in explained, name

    @pytest.mark.parametrize(
        ("drawn", "files"),
        [
            ("A row of the outbox", ("outbox", "claim", "matters")),
            ("A matter", ("claim", "matters")),
            ("A document", ("claim",)),
        ],
    )
    def test_every_arrow_names_statements_that_exist(self, drawn: str, files: tuple[str, ...]) -> None:
        section = text_of(self.STATES).partition(f"## {drawn}\n")[2].partition("\n## ")[0]
        [drawing] = re.findall(r"```mermaid\n(.+?)```", section, re.DOTALL)
        labels = re.findall(r"--> \S+ : (.+)", drawing)
        assert labels
        statements = _statements(*files)
        for label in labels:
            for name in label.removesuffix(", when due again").split(", "):
                assert name in statements, name


def _statements(*files: str) -> dict[str, str]:
    """The named statements of these files of db/queries."""
    named: dict[str, str] = {}
    for file in files:
        text = text_of(ROOT / "db" / "queries" / f"{file}.sql")
        blocks = re.split(r"^-- (\w+) --$", text, flags=re.MULTILINE)
        named |= dict(zip(blocks[1::2], blocks[2::2], strict=True))
    return named
