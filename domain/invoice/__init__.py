"""Invoices and credit notes of Severa, booked in Visma.net ERP, proven to the cent, and numbered in Severa.

Read from below; nothing imports upward.

what it is      model · totals · plan · choices · receiver · table · document · billed · branches · prove · refusals   pure
where it is     phases                                                                                   pure
one attempt     work: facts from the matter, guarded effects, what is left behind
looking         doubt (candidates, decisions) · parties (whose it is) · documents (by marker) · whose (is it) · gather (what to send) · review
moving          failing (ways out) · asking · releasing · files · numbering
walking         booking (MOVES and the loop) · steps (where a delivery begins and ends)
words           explain · explain_doubt · sentences
"""
