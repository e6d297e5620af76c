"""How far each requirement is: only what tests show counts, and only tests that exist (docs/requirements.toml)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "ops" / "scripts"))

# The scripts are no package: mypy knows them only when it is given ops/scripts as well.
import docs_common  # type: ignore[import-not-found, unused-ignore]
import docs_requirements  # type: ignore[import-not-found, unused-ignore]
import docs_sources  # type: ignore[import-not-found, unused-ignore]

ROOT = Path(__file__).resolve().parents[2]
SHOWN = 'tests = ["tests/test_some.py::test_one"]'
MISSING = 'missing = "Nothing is there."'


def written(folder: Path, *sentences: str, head: str = 'about = "it works"') -> Path:
    """A file of one requirement, ``R-ONE-1``, whose sentences a, b, … have these lines."""
    lines = [f'{letter}.says = "{letter}"\n{letter}.{line}' if line else f'{letter}.says = "{letter}"' for letter, line in zip("abcdef", sentences, strict=False)]  # fmt: skip
    path = folder / "requirements.toml"
    path.write_text('[[group]]\nid = "ONE"\ntitle = "The one"\n["R-ONE-1"]\n' + "\n".join([head, *lines]))
    return path


def folder_of(folder: Path, text: str) -> Path:
    below = folder / "tests"
    below.mkdir()
    (below / "test_some.py").write_text("import pytest\n" + text, encoding="utf-8")
    return below


class TestState:
    @pytest.mark.parametrize(
        ("sentences", "state"),
        [
            ((SHOWN, SHOWN), "done"),
            ((SHOWN, MISSING), "part"),
            ((SHOWN, f"{SHOWN}\nb.{MISSING}"), "part"),
            ((MISSING, MISSING), "not done"),
        ],
        ids=["all", "one of two", "one in part", "none"],
    )
    def test_it_is_done_only_when_every_sentence_has_a_test_and_nothing_is_missing(
        self, tmp_path: Path, sentences: tuple[str, ...], state: str
    ) -> None:
        [group] = docs_requirements.groups(written(tmp_path, *sentences))
        [requirement] = group.requirements
        assert requirement.state == state
        assert [one.id for one in requirement.sentences] == ["R-ONE-1a", "R-ONE-1b"]

    @pytest.mark.parametrize(
        ("sentences", "head", "said"),
        [
            ((SHOWN, ""), 'about = "it works"', "R-ONE-1b has neither a test nor a word on what is missing"),
            (("tests = []",), 'about = "it works"', "R-ONE-1a has neither"),
            (("test = []",), 'about = "it works"', "R-ONE-1a has test"),
            ((), 'about = "it works"', "it has none"),
            ((SHOWN,), "", "R-ONE-1 needs 'about'"),
            ((SHOWN,), 'about = "it works"\nc.says = "c"', "it has c, a"),
        ],
    )
    def test_what_would_say_more_than_is_known_is_refused(
        self, tmp_path: Path, sentences: tuple[str, ...], head: str, said: str
    ) -> None:
        with pytest.raises(docs_common.NotComplete, match=said):
            docs_requirements.groups(written(tmp_path, *sentences, head=head))

    @pytest.mark.parametrize("key", ["R-ONE-3", "R-TWO-1", "ONE-2"])
    def test_a_requirement_out_of_order_or_of_no_group_is_refused(self, tmp_path: Path, key: str) -> None:
        path = written(tmp_path, SHOWN)
        path.write_text(f'{path.read_text()}\n["{key}"]\nabout = "more"\na.says = "a"\na.{SHOWN}\n')
        with pytest.raises(docs_common.NotComplete, match="out of order, or of no group"):
            docs_requirements.groups(path)


class TestTests:
    def test_a_test_that_is_named_must_exist_where_it_is_named(self, tmp_path: Path) -> None:
        found = docs_requirements.groups(written(tmp_path, SHOWN))
        folder = folder_of(tmp_path, "def test_one(): ...\nclass TestMore:\n    def test_two(self): ...\n")
        assert docs_requirements.check(found, folder) == {"R-ONE-1": 0}
        for wrong in ("test_two", "TestMore::test_one", "test_on"):
            path = written(tmp_path, f'tests = ["tests/test_some.py::{wrong}"]')
            with pytest.raises(
                docs_common.NotComplete, match=f"R-ONE-1a names .*{wrong}, which does not exist"
            ):
                docs_requirements.check(docs_requirements.groups(path), folder)

    def test_a_marker_proves_nothing(self, tmp_path: Path) -> None:
        found = docs_requirements.groups(written(tmp_path, MISSING))
        folder = folder_of(tmp_path, "@pytest.mark.req('R-ONE-1', 'R-ONE-1a')\ndef test_one(): ...\n")
        assert docs_requirements.check(found, folder) == {"R-ONE-1": 1}
        assert found[0].requirements[0].state == "not done"

    @pytest.mark.parametrize("wrong", ["R-ONE-2", "R-ONE-0", "R-ONE-1b", "R-INN-1", "ONE-1", "R-ONE-x"])
    def test_a_marker_of_what_does_not_exist_is_refused(self, tmp_path: Path, wrong: str) -> None:
        found = docs_requirements.groups(written(tmp_path, SHOWN))
        folder = folder_of(tmp_path, f"@pytest.mark.req('{wrong}')\ndef test_one(): ...\n")
        with pytest.raises(docs_common.NotComplete, match=f"names {wrong}, which is no requirement"):
            docs_requirements.check(found, folder)

    def test_markers_are_found_on_tests_classes_modules_and_cases(self, tmp_path: Path) -> None:
        folder = folder_of(
            tmp_path,
            "pytestmark = [pytest.mark.req('R-CON-1')]\n"
            "@pytest.mark.req('R-INV-4', 'R-INV-5')\n"
            "def test_one(): ...\n"
            "@pytest.mark.req('R-PAY-1')\n"
            "class TestMore:\n"
            "    @pytest.mark.parametrize('x', [pytest.param(1, marks=pytest.mark.req('R-PAY-2'))])\n"
            "    def test_two(self, x): ...\n"
            "def helper(): ...\n",
        )
        assert docs_sources.marked_tests(folder, "req") == {
            "R-CON-1": ["tests/test_some.py::TestMore::test_two", "tests/test_some.py::test_one"],
            "R-INV-4": ["tests/test_some.py::test_one"],
            "R-INV-5": ["tests/test_some.py::test_one"],
            "R-PAY-1": ["tests/test_some.py::TestMore::test_two"],
            "R-PAY-2": ["tests/test_some.py::TestMore::test_two"],
        }


class TestOurOwn:
    def test_every_named_test_exists_and_every_marker_names_a_requirement(self) -> None:
        found = docs_requirements.groups()
        assert len(docs_requirements.check(found, ROOT / "tests")) == 77

    def test_no_named_test_is_left_out_of_the_run(self) -> None:
        """A test that is skipped or expected to fail shows nothing."""
        for one in docs_requirements.every(docs_requirements.groups()):
            for path in {test.partition("::")[0] for sentence in one.sentences for test in sentence.tests}:
                text = (ROOT / path).read_text(encoding="utf-8")
                assert "pytest.mark.skip(" not in text, (one.id, path)
                assert "pytest.mark.xfail" not in text, (one.id, path)

    def test_what_is_missing_is_one_plain_sentence(self) -> None:
        for one in docs_requirements.every(docs_requirements.groups()):
            for sentence in one.sentences:
                assert not sentence.missing or sentence.missing.endswith("."), sentence.id
                assert "\n" not in sentence.missing, sentence.id
                assert not sentence.says.endswith("."), sentence.id

    def test_the_pages_show_what_is_not_done(self) -> None:
        page = docs_requirements.coverage_page()
        for one in docs_requirements.every(docs_requirements.groups()):
            assert f"**{one.id}** {one.about}: {one.state}." in page
            assert (f"| {one.id} | {one.about} | {one.state} |" in page) == (one.state != "done")
