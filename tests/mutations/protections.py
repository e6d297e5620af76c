"""All of them, in the order of the table."""

from __future__ import annotations

from mutations import (
    at_lost_ends,
    at_the_claim,
    at_the_keyboard,
    at_the_leaving,
    at_the_poll,
    at_the_vendors,
    at_the_words,
)

MUTATIONS = (
    *at_the_claim.MUTATIONS,
    *at_lost_ends.MUTATIONS,
    *at_the_poll.MUTATIONS,
    *at_the_vendors.MUTATIONS,
    *at_the_leaving.MUTATIONS,
    *at_the_keyboard.MUTATIONS,
    *at_the_words.MUTATIONS,
)
