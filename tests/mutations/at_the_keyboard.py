"""Protections against what people type and hand in: each taken out, it looks like success or breaks far from there."""

from __future__ import annotations

from mutations.mutation import Mutation, of

WORDS = "tests/unit/test_cli_arguments.py::"
SETTINGS = "tests/unit/domain/test_tenant_settings.py::"
FILES = "tests/unit/test_tenant_file.py::"

MUTATIONS: tuple[Mutation, ...] = (
    of(
        "typed-words",
        "R-LOG-1",
        "An option with a fixed set of values has it in its type",
        "app/cli/common.py",
        'Level = Literal["info", "warning", "error"]',
        "Level = str",
        WORDS + "test_what_is_a_domain_or_a_level_is_a_fixed_set_everywhere",
    ),
    of(
        "typed-http",
        "R-OPS-2",
        "No secret goes to a public host without TLS",
        "domain/setup/addresses.py",
        'if parts.scheme == "http" and not private(host):',
        "if False:",
        FILES + "test_no_secret_goes_readable_to_a_public_host",
    ),
    of(
        "typed-http-digits",
        "R-OPS-2",
        "A name of digits is an address, and no neighbour's",
        "domain/setup/addresses.py",
        'r"[a-z][a-z0-9-]*"',
        'r"[a-z0-9-]*"',
        FILES + "test_no_secret_goes_readable_to_a_public_host",
    ),
    of(
        "typed-truth",
        "R-SET-7",
        "True is no number",
        "domain/setup/kinds.py",
        "return str(value) if isinstance(value, bool) and field.annotation in (int, Decimal) else value",
        "return value",
        SETTINGS + "test_a_file_is_checked_as_strictly_as_what_is_typed_and_what_is_stored_stays",
    ),
    of(
        "typed-day",
        "R-SET-7",
        "A day is no count of seconds",
        "domain/setup/kinds.py",
        "Day = Annotated[date, BeforeValidator(_day)]",
        "Day = Annotated[date, BeforeValidator(lambda value: value)]",
        SETTINGS + "test_a_day_is_a_day_of_the_calendar_and_no_count_of_seconds",
    ),
    of(
        "typed-word",
        "R-SET-7",
        "What is typed for a text is a word, whatever it looks like",
        "domain/setup/kinds.py",
        "    if form is None and not text.startswith('\"'):\n",
        "    if form is None and text == 'null':\n",
        SETTINGS + "test_a_code_of_digits_is_a_word",
    ),
    of(
        "typed-name",
        "R-SET-7",
        "A setting names no record that the ERP does not have",
        "app/tenancy.py",
        "        naming.check(db, key, values[key], warn)\n",
        "",
        "tests/integration/test_road_settings.py::test_a_class_that_the_erp_does_not_have_is_refused_with_those_there_are",
    ),
    of(
        "typed-utf-16",
        "R-SET-1",
        "A file that is not UTF-8 is named as what it is",
        "domain/text.py",
        'if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\\0" in content[:4]:',
        "if False:",
        FILES + "test_utf_16_is_named_and_so_is_what_to_do",
    ),
)
