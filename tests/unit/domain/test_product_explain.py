"""Every code that the register domains raise has its words in both languages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

import domain.customer.explain as customer
import domain.moves
import domain.product.explain as product
import domain.project.explain as project
from domain.explain import Cause, Text

CATALOGUES: dict[str, tuple[Mapping[str, Cause], Mapping[str, Text]]] = {
    "customer": (customer.CAUSES, customer.SENTENCES),
    "product": (product.CAUSES, product.SENTENCES),
    "project": (project.CAUSES, project.SENTENCES),
}


def codes(package: str) -> set[str]:
    """Every code that stands in the package, and those of the shared moves that it makes."""
    shared = Path(domain.moves.__file__)
    files = shared.parent.joinpath(package).glob("*.py")
    text = "\n".join(file.read_text() for file in files if file.name != "explain.py")
    # Paths in bodies, such as text(row, "customer.guid"), and rows of tables are no codes.
    text = re.sub(r'(?:text|read)\((?:\w+\.)*\w+, "[^"]+"\)', "", text)
    text = re.sub(r'Field\(\s*"[^"]*",\s*"[^"]*",\s*"[^"]*"', "", text)
    own = set(re.findall(rf'"({package}\.[a-z_]+)"', text))
    made = {f"{package}.{name}" for name in re.findall(r'f"{domain}\.([a-z_]+)"', shared.read_text())}
    merges = "told(" in text
    return own | {code for code in made if merges or not code.endswith((".overruled", ".differs"))}


@pytest.mark.parametrize("package", CATALOGUES)
def test_every_code_has_its_words(package: str) -> None:
    causes, sentences = CATALOGUES[package]
    raised = codes(package)

    assert raised == set(causes) | set(sentences)
    assert not set(causes) & set(sentences)


@pytest.mark.parametrize("package", CATALOGUES)
def test_both_languages_say_something_and_use_values_alike(package: str) -> None:
    causes, sentences = CATALOGUES[package]
    texts = [
        *sentences.values(),
        *(text for cause in causes.values() for text in (cause.wrong, cause.do, cause.where)),
    ]

    for text in texts:
        assert text.sv
        assert text.en
        swedish = set(re.findall(r"{(\w+)}", text.sv))
        english = {name.removesuffix("_en") for name in re.findall(r"{(\w+)}", text.en)}
        assert swedish == english, text.sv
