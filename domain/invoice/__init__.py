"""Invoices and credit notes of Severa, booked in Visma.net ERP, proven to the cent, and numbered in Severa.

Read from below; nothing imports upward.

what it is      model · fields · totals · plan · document · billed · branches · prove · refusals        pure
where it is     phases                                                                                   pure
one attempt     work: facts from the matter, guarded effects, what is left behind
looking         documents (by marker) · gather (what to send) · review · late (closed projects) · doubt (candidates)
moving          failing (ways out) · audit (whose is it) · asking · releasing · files · numbering
walking         booking (MOVES and the loop) · steps (where a delivery begins and ends)
words           explain · explain_doubt · sentences
"""
