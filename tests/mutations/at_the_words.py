"""Protections of what people read: words that do not fit are refused at the start, values that do not fit are seen where they are
recorded, and rows of an older version are said all the same."""

from __future__ import annotations

from mutations.mutation import Mutation, of

WORDS = "domain/words.py"
RECORDING = "domain/recording.py"
W = "tests/unit/domain/test_words.py::"
WRONG = W + "test_what_is_wrong_in_a_file_is_told_with_its_place"
BORDER = W + "test_what_is_recorded_fits_its_words_in_tests_and_is_counted_in_production"

MUTATIONS: tuple[Mutation, ...] = (
    of("words-languages", "R-LOG-3", "Both languages say the same values", WORDS, "        if swedish != english:\n", "        if False:\n",
       WRONG),
    of("words-kinds", "R-LOG-3", "A placeholder's kind is one that there is", WORDS, "        if one.kind not in SHAPES:\n",
       "        if False:\n", WRONG),
    of("words-actions", "R-LOG-3", "A cause's actions are those that people have buttons and commands for", WORDS,
       "if unknown := [one for one in actions if one not in ACTIONS]:", "if unknown := []:", WRONG),
    of("words-border", "R-LOG-3", "A value that does not fit its words is raised in tests", RECORDING,
       "    if found and _Border.strict:\n", "    if False:\n", BORDER),
    of("words-counted", "R-LOG-3", "A value that does not fit its words is counted in production", RECORDING,
       "        COUNTED[code] += 1\n", "        pass\n", BORDER),
    of("words-terms", "R-LOG-3", "A term that no words.toml has is seen where it is recorded", "domain/explain.py",
       "        elif one.kind == \"term\" and value and value not in text.words.terms:\n", "        elif False:\n", BORDER),
    of("words-old-rows", "R-LOG-1", "A value of an older version is said as it stands, whatever it is", "domain/saying.py",
       "    if fits(value) and not (kind == \"term\" and value not in reader.words.terms):\n", "    if True:\n",
       W + "test_a_row_of_an_older_version_is_said_as_it_stands",
       W + "test_no_value_in_any_row_keeps_a_text_from_being_said"),
)  # fmt: skip
