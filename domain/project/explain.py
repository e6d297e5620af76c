"""Words for people about sales cases and projects."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain.explain import Cause, Text

_SEVERA = Text("Severa: Projekt.", "Severa: Projects.")
_ERP = Text("Visma.net ERP: Projekt (PM301000).", "Visma.net ERP: Projects (PM301000).")
_KEYS = Text("Visma.net ERP: Segmenterade nycklar (CS203000).", "Visma.net ERP: Segmented keys (CS203000).")
_BOTH = Text(f"{_SEVERA.sv} {_ERP.sv}", f"{_SEVERA.en} {_ERP.en}")

CAUSES: Mapping[str, Cause] = MappingProxyType(
    {
        "project.number_missing": Cause(
            wrong=Text("Projektet {name} saknar nummer.", "The project {name} has no number."),
            do=Text("Ge projektet ett nummer.", "Give the project a number."),
            where=_SEVERA,
        ),
        "project.number_too_long": Cause(
            wrong=Text(
                "Projektnumret {number} ({name}) har {length} tecken, men nyckeln PROJECT tillåter {limit}.",
                "The project number {number} ({name}) has {length} characters, but the key PROJECT allows {limit}.",
            ),
            do=Text(
                "Förläng nyckeln PROJECT så att numret får plats; inget kortas av.",
                "Lengthen the key PROJECT so that the number fits; nothing is cut.",
            ),
            where=_KEYS,
        ),
        "project.number_taken": Cause(
            wrong=Text(
                "Projektnumret {number} ({name}) finns redan i Visma.net ERP: {other}, kund {other_customer} i stället för {customer}.",
                "The project number {number} ({name}) exists in Visma.net ERP already: {other}, customer {other_customer} instead of {customer}.",
            ),
            do=Text(
                "Rätta kunden på projektet i Visma.net ERP, eller ge projektet i Severa ett annat nummer.",
                "Correct the customer of the project in Visma.net ERP, or give the project in Severa another number.",
            ),
            where=_BOTH,
        ),
        "project.number_linked": Cause(
            wrong=Text(
                "Projektnumret {number} ({name}) hör i Visma.net ERP redan till projekt {other} i Severa.",
                "The project number {number} ({name}) belongs to project {other} of Severa in Visma.net ERP already.",
            ),
            do=Text("Ge det ena projektet ett annat nummer.", "Give one of the projects another number."),
            where=_SEVERA,
        ),
        "project.number_of_deleted": Cause(
            wrong=Text(
                "Projektnumret {number} ({name}) hör i Visma.net ERP till ett projekt som har tagits bort i Severa.",
                "The project number {number} ({name}) belongs in Visma.net ERP to a project that was deleted in Severa.",
            ),
            do=Text(
                "Är det samma projekt som lagts upp på nytt: flytta kopplingen till det. Annars: ge det nya projektet ett annat nummer.",
                "Is it the same project, entered anew: move the link to it. If not: give the new project another number.",
            ),
            where=_BOTH,
        ),
        "project.customer_missing": Cause(
            wrong=Text(
                "Projektet {number} {name} saknar kund.", "The project {number} {name} has no customer."
            ),
            do=Text("Välj en kund för projektet.", "Choose a customer for the project."),
            where=_SEVERA,
        ),
        "project.customer_in_error": Cause(
            wrong=Text(
                "Projektet {number} {name} väntar på kunden {customer}, som själv har ett fel.",
                "The project {number} {name} waits for the customer {customer}, which is itself in error.",
            ),
            do=Text(
                "Åtgärda kundens fel; projektet fortsätter sedan av sig självt.",
                "Solve the customer's problem; the project then goes on by itself.",
            ),
            where=Text("Severa: Kunder.", "Severa: Customers."),
        ),
        "project.not_found_after_create": Cause(
            wrong=Text(
                "Projektet {number} {name} skapades, men finns inte under det numret i Visma.net ERP.",
                "The project {number} {name} was created, but Visma.net ERP has none of that number.",
            ),
            do=Text(
                "Kontrollera att nyckeln PROJECT inte numrerar projekten själv.",
                "Check that the key PROJECT does not number projects by itself.",
            ),
            where=_KEYS,
        ),
        "project.renumbered": Cause(
            wrong=Text(
                "Projektet {name} har bytt nummer: {number} i Severa, {erp_number} i Visma.net ERP, kopplat som {linked_number}.",
                "The project {name} was renumbered: {number} in Severa, {erp_number} in Visma.net ERP, linked as {linked_number}.",
            ),
            do=Text(
                "Projekt ska inte numreras om efter kopplingen: ställ tillbaka numret, eller ändra det likadant i båda systemen.",
                "Projects should not be renumbered once linked: set the number back, or change it alike in both systems.",
            ),
            where=_BOTH,
        ),
        "project.merged": Cause(
            wrong=Text(
                "Projektet {number} finns inte längre i {system}; {heir} verkar ha tagit dess plats.",
                "The project {number} does not exist in {system} any more; {heir} seems to have taken its place.",
            ),
            do=Text(
                "Är det samma projekt: koppla om med kommandot {relink}.",
                "Is it the same project: relink with the command {relink}.",
            ),
            where=_BOTH,
        ),
        "project.gone": Cause(
            wrong=Text(
                "Projektet {number} finns inte längre i {system}.",
                "The project {number} does not exist in {system} any more.",
            ),
            do=Text(
                "Kontrollera om projektet har tagits bort eller slagits ihop med ett annat.",
                "Check whether the project was removed or merged with another one.",
            ),
            where=_BOTH,
            closes_by_itself=False,
        ),
        "project.refused": Cause(
            wrong=Text(
                "{system} tog inte emot projektet {name}: {text}",
                "{system} did not accept the project {name}: {text}",
            ),
            do=Text(
                "Rätta det som felet nämner; kontrollera projektmallen, kunden och att nyckeln PROJECT tillåter numret.",
                "Correct what the message names; check the project template, the customer, and that the key PROJECT allows the number.",
            ),
            where=Text(f"{_BOTH.sv} {_KEYS.sv}", f"{_BOTH.en} {_KEYS.en}"),
        ),
        "project.not_allowed": Cause(
            wrong=Text(
                "Anslutningen till {system} saknar rättighet för {operation}: {text}",
                "The connection to {system} lacks the right for {operation}: {text}",
            ),
            do=Text(
                "Ge anslutningen rättigheten: projekt kräver projects:read i Severa och rollen API User i Visma.net ERP.",
                "Grant the right to the connection: projects need projects:read in Severa and the role API User in Visma.net ERP.",
            ),
            where=Text(
                "Severa: Integrationer > REST API. Visma.net Admin: Roller.",
                "Severa: Integrations > REST API. Visma.net Admin: Roles.",
            ),
        ),
    }
)

SENTENCES: Mapping[str, Text] = MappingProxyType(
    {
        "project.created": Text(
            "Projektet {number} {name} lades upp i Visma.net ERP.",
            "The project {number} {name} was created in Visma.net ERP.",
        ),
        "project.number_short": Text(
            "Projektnumret {number} ({name}) har {length} tecken, men nyckeln PROJECT (CS203000) har {limit}; ingenting fylls ut.",
            "The project number {number} ({name}) has {length} characters, but the key PROJECT (CS203000) has {limit}; nothing is filled up.",
        ),
        "project.linked": Text(
            "Projektet {number} {name} kopplades till projektet med samma nummer i Visma.net ERP.",
            "The project {number} {name} was linked to the project of the same number in Visma.net ERP.",
        ),
        "project.updated": Text(
            "Projektet {number} {name} ändrades i Visma.net ERP: {fields}.",
            "The project {number} {name} was changed in Visma.net ERP: {fields}.",
        ),
        "project.activated": Text(
            "Projektet {number} {name} aktiverades i Visma.net ERP.",
            "The project {number} {name} was set active in Visma.net ERP.",
        ),
        "project.completed": Text(
            "Projektet {number} {name} är avslutat och slutfördes i Visma.net ERP.",
            "The project {number} {name} is closed and was completed in Visma.net ERP.",
        ),
        "project.cancelled": Text(
            "Försäljningsprojektet {number} {name} är förlorat och avbröts i Visma.net ERP.",
            "The sales case {number} {name} is lost and was cancelled in Visma.net ERP.",
        ),
    }
)
