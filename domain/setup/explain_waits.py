"""Waits that have an end, and somebody else who writes with our marker: in words for people."""

from __future__ import annotations

from collections.abc import Mapping

from domain.explain import Cause, Text

CAUSES: Mapping[str, Cause] = {
    "work.dependency_unknown": Cause(
        Text(
            "{name} behövs, men bryggan har aldrig sett den posten.",
            "{name} is needed, but the bridge has never seen that record.",
        ),
        Text(
            "Kontrollera att posten finns kvar och att integrationen får läsa den; det här fortsätter sedan av sig själv.",
            "Check that the record still exists and that the integration may read it; this then goes on by itself.",
        ),
        Text("Severa eller Visma.net ERP", "Severa or Visma.net ERP"),
    ),
    "work.waited_too_long": Cause(
        Text(
            "Överföringen har väntat länge på {name}, som inte har kommit till ro.",
            "The transfer has waited for {name} for a long time, and it has not come to rest.",
        ),
        Text(
            "Se varför {name} inte blir klar; det här fortsätter av sig själv när den är det.",
            "See why {name} is not done; this goes on by itself once it is.",
        ),
        Text("Problem", "Problems"),
    ),
    "work.waits_in_circle": Cause(
        Text(
            "Det här väntar på {name}, som i sin tur väntar på det här.",
            "This waits for {name}, which in turn waits for this.",
        ),
        Text(
            "Avgör vilken av de två som ska komma först, till exempel genom att ändra kopplingen mellan dem.",
            "Decide which of the two comes first, for example by changing what connects them.",
        ),
        Text("Severa", "Severa"),
    ),
}
