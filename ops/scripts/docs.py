"""Makes the pages of docs/ that only repeat what the code says, or checks that they still do.

    python ops/scripts/docs.py             writes them
    python ops/scripts/docs.py --check     names every stale page; exit code 1 when there is one
    python ops/scripts/docs.py settings    only that page (settings, cli, json, problems, mapping, requirements, coverage,
                                           open-questions;
                                           states: only its drawing of the booking; never-twice: only its
                                           table of tests)

Exit code 2 with one line when the code cannot be imported or lacks something that a page needs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

sys.path.insert(0, str(Path(__file__).resolve().parent))
from docs_code import cli_page, mapping_page, problems_page, settings_page
from docs_common import DOCS, ROOT, NotComplete
from docs_json import json_page
from docs_requirements import coverage_page, requirements_page
from docs_schedules import never_twice_page
from docs_sources import open_questions_page
from docs_states import states_page

PAGES: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "settings": settings_page,
        "cli": cli_page,
        "json": json_page,
        "problems": problems_page,
        "mapping": mapping_page,
        "requirements": requirements_page,
        "coverage": coverage_page,
        "open-questions": open_questions_page,
        "states": states_page,
        "never-twice": never_twice_page,
    }
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(
        description="Makes the pages of docs/ that repeat the code, or checks them."
    )
    parser.add_argument("pages", nargs="*", choices=[[], *PAGES], help="only these pages")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("--into", type=Path, default=DOCS, help="where the pages are (default: docs/)")
    wanted = parser.parse_args(arguments)
    stale = 0
    for name in wanted.pages or PAGES:
        target = wanted.into / f"{name}.md"
        try:
            made = PAGES[name]()
        except NotComplete as error:
            print(f"docs.py: {target.name} cannot be made: {error}", file=sys.stderr)
            return 2
        present = target.read_text(encoding="utf-8") if target.exists() else None
        if made == present:
            continue
        if wanted.check:
            stale += 1
            print(f"docs/{target.name} is stale: run `python ops/scripts/docs.py`", file=sys.stderr)
        else:
            target.write_text(made, encoding="utf-8")
            print(f"docs/{target.name}: written")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
