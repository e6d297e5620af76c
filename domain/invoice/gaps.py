"""The gap list in words: why an ERP number was used by a document that had to be removed (R-INV-5).

A reason is a problem's or a log line's code with the values it had then. The auditor reads the list years later, so a
reason is either complete or says that it is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.explain import Text


def reason(
    code: str, values: Mapping[str, Any], number: str, sentences: Mapping[str, Text], language: str
) -> str:
    """The reason of one gap in the tenant's language, every value filled in; a code without words is shown as it is.

    ``values``: as they were kept with the gap; a gap of 0.1.0 has none, then the sentence says which cause it was.
    """
    text = sentences.get(code)
    if text is None:
        return code
    known = {"number": number, **values}
    if text.placeholders() <= known.keys():
        return text.fill(language, known)
    return sentences["invoice.gap_unexplained"].fill(language, {"number": number, "code": code})
