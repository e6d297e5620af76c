"""Makes the fixtures: cases from the vendors' documents, answers from a checkout of 0.1.0.

    PYTHONPATH=tests .venv/bin/python -m golden.making --checkout DIR [--documents DIR]

``--checkout``: a worktree of 0.1.0 with its own ``.venv`` (``make setup`` there). ``--documents``: ``tests/data/vendor``,
or the folder with the vendors' OpenAPI documents; without it the cases stay and only the answers are made anew.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import simplejson

from golden import asking, bookings, mappings, parties, payings, people, references, shapes, stored
from golden.plain import plain

TESTS = Path(__file__).resolve().parents[1]
DATA = TESTS / "data" / "golden"
DATABASE = TESTS / "data" / "database_0_1_0.sql"
SEED = "golden 0.1.0"
COUNTS: Mapping[str, int] = {
    "product": 300,
    "customer": 180,
    "contact": 200,
    "project": 250,
    "invoice": 190,
    "cost": 220,
    "payment": 300,
    # A few of every register, however many there are.
    "reference": 0,
    "form": 250,
}
STORED = "stored"


def path_of(kind: str) -> Path:
    """Where a kind's cases and answers stand."""
    return DATA / f"{kind}.json.gz"


def load(kind: str) -> Any:
    """What stands there: ``{"world": …, "cases": […], "answers": […]}``; numbers as Decimal or int, as they came."""
    return simplejson.loads(gzip.decompress(path_of(kind).read_bytes()), use_decimal=True)


def keep(kind: str, values: Any) -> None:
    """Writes it, the same bytes for the same values."""
    text = simplejson.dumps(values, use_decimal=True, separators=(",", ":"))
    path_of(kind).write_bytes(gzip.compress(text.encode(), mtime=0, compresslevel=9))


def drawn(documents: Path) -> dict[str, Any]:
    """Every kind's cases, from the vendors' documents in a folder."""
    severa, erp = shapes.documents(documents)
    world = references.world(shapes.Draw(f"{SEED} world"), severa, erp)
    makers: Mapping[str, Callable[..., Any]] = {
        "product": parties.product,
        "customer": parties.customer,
        "contact": people.contact,
        "project": people.project,
        "invoice": bookings.invoice,
        "cost": payings.cost,
        "payment": payings.payment,
        "form": references.form,
    }
    made = {}
    for kind, count in COUNTS.items():
        if kind == "reference":
            cases = references.rows(SEED, severa, erp)
        else:
            draws = [shapes.Draw(f"{SEED} {kind} {n}") for n in range(count)]
            cases = [makers[kind](draw, severa, erp) | {"mood": draw.mood} for draw in draws]
        needed = {name: world[name] for name in references.NEEDED.get(kind, ())}
        made[kind] = shapes.without_missing({"world": needed, "cases": cases})
    return made


def answers(kind: str, values: Any) -> list[Any]:
    """What the code on the path says of every case."""
    mapping = mappings.on_the_path()
    if kind == STORED:
        return [plain(one) for one in stored.answers(mapping, DATABASE)]
    golden = values.get("answers") or [None] * len(values["cases"])
    return [
        plain(asking.ASK[kind](mapping, case, values["world"], said))
        for case, said in zip(values["cases"], golden, strict=True)
    ]


def main() -> int:
    """Command line; ``--answer`` is this program again, with the checkout's Python and packages."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkout", type=Path)
    parser.add_argument("--documents", type=Path)
    parser.add_argument("--answer", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.answer:
        for kind in (*COUNTS, STORED):
            values = load(kind) if kind != STORED else {}
            values.pop("answers", None)
            said = {"answers": answers(kind, values)}
            if kind == STORED:
                said["versions"] = stored.versions(mappings.on_the_path())
            keep(kind, values | said)
        return 0
    if given.checkout is None:
        parser.error("--checkout is needed")
    if given.documents is not None:
        DATA.mkdir(exist_ok=True)
        for kind, values in drawn(given.documents).items():
            keep(kind, values)
    checkout = given.checkout.resolve()
    paths = {"PYTHONPATH": f"{checkout}{os.pathsep}{TESTS}"}
    command = [str(checkout / ".venv" / "bin" / "python"), "-m", "golden.making", "--answer"]
    done = subprocess.run(command, cwd=checkout, env={**os.environ, **paths}, check=False)
    print(json.dumps({one.name: one.stat().st_size for one in sorted(DATA.glob("*.gz"))}, indent=1))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
