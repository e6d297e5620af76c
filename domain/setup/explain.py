"""Problems of a tenant as a whole: connections, unreadable rows, and defects of the bridge itself."""

from __future__ import annotations

from collections.abc import Mapping

from domain.explain import Cause, Text
from domain.setup import explain_waits, status_words

_SIGN_IN = Text("Kundens uppgifter i bryggan", "The tenant's file of the bridge")
_NOWHERE = Text("Ingenstans: bryggan försöker igen", "Nowhere: the bridge tries again")
_OPERATOR = Text("Den som driver bryggan", "The operator of the bridge")


def _connection(sv: str, en: str, do_sv: str, do_en: str) -> Cause:
    return Cause(Text(sv, en), Text(do_sv, do_en), _SIGN_IN)


CAUSES: Mapping[str, Cause] = {
    "connection.wrong_secret": _connection(
        "Inloggningen i {system} nekas: klient-id eller hemlighet är fel ({text}).",
        "{system} refuses the sign-in: client id or secret is wrong ({text}).",
        "Rätta client_id och client_secret och lägg till kunden igen.",
        "Correct client_id and client_secret and add the tenant again.",
    ),
    "connection.missing_scope": _connection(
        "Inloggningen i {system} saknar rättigheter: {missing}.",
        "The sign-in to {system} lacks scopes: {missing}.",
        "Ge integrationen de rättigheter som saknas.",
        "Grant the integration the missing scopes.",
    ),
    "connection.unknown_tenant": _connection(
        "{system} känner inte till företaget ({text}).",
        "{system} does not know the company ({text}).",
        "Kontrollera tenant_id: det ska vara företagets, inte kundens.",
        "Check tenant_id: it must be the company's, not the customer's.",
    ),
    "connection.no_license": _connection(
        "{system} svarar att företaget saknar licens (12027): {text}",
        "{system} answers that the company has no licence (12027): {text}",
        "Kontrollera att tenant_id är företagets (inte kundens) och att användaren har rollen API User.",
        "Check that tenant_id is the company's (not the customer's) and that the user holds the role API User.",
    ),
    "connection.refused": _connection(
        "Inloggningen i {system} nekas: {text}",
        "{system} refuses the sign-in: {text}",
        "Kontrollera uppgifterna och att integrationen är godkänd.",
        "Check the credentials and that the integration is approved.",
    ),
    "connection.not_allowed": _connection(
        "{system} tillåter inte att bryggan läser: {text}",
        "{system} does not allow the bridge to read: {text}",
        "Ge integrationen eller användaren den rättighet som texten nämner; bryggan fortsätter sedan av sig själv.",
        "Give the integration or the user the right that the text names; the bridge then goes on by itself.",
    ),
    "connection.signed_out": _connection(
        "Inloggningen i {system} har upphört att gälla.",
        "The sign-in to {system} has expired.",
        "Logga in i {system} på nytt.",
        "Sign in to {system} again.",
    ),
    "setting.unusable": Cause(
        Text(
            "Inställningen {setting} kan inte vara {value}: {text}.{also} Inget överförs för kunden så länge.",
            "The setting {setting} cannot be {value}: {text}.{also_en} Nothing of the tenant is transferred meanwhile.",
        ),
        Text(
            "Sätt ett värde inom gränserna, en inställning i taget; överföringen fortsätter sedan av sig själv.",
            "Set a value within the bounds, one setting at a time; the transfer then goes on by itself.",
        ),
        Text("Kundens inställningar i bryggan", "The tenant's settings in the bridge"),
    ),
    "poll.brake": Cause(
        Text(
            "En avläsning av {register} ändrade {changed} av {known} poster ({missing} saknas); överföringen är pausad.",
            "A reading of {register} changed {changed} of {known} records ({missing} are missing); the transfer is paused.",
        ),
        Text(
            "Kontrollera om ändringen är avsiktlig. Är den det, återuppta {domain} i bryggan.",
            "Check whether the change is intended. If it is, resume {domain} in the bridge.",
        ),
        Text("Registret {register}", "The register {register}"),
        closes_by_itself=False,
    ),
    "poll.absent": Cause(
        Text(
            "En avläsning av {register} visade inte {missing} av {known} poster; de räknas tills vidare inte som borttagna.",
            "A reading of {register} did not show {missing} of {known} records; for now they do not count as deleted.",
        ),
        Text(
            "Kontrollera om posterna är borttagna. Är de det: återuppta överföringen för {domain}. Annars behövs inget: frågan stängs när posterna visas igen.",
            "Check whether the records were deleted. If they were: resume the transfer of {domain}. Otherwise nothing: the question closes when they are shown again.",
        ),
        Text("Registret {register}", "The register {register}"),
    ),
    "poll.defect": Cause(
        Text(
            "Avläsningen av {register} i {system} avbröts av ett fel: {text}",
            "The reading of {register} in {system} was cut by a fault: {text}",
        ),
        Text(
            "Meddela den som sköter bryggan; den försöker igen av sig själv.",
            "Tell whoever runs the bridge; it tries again by itself.",
        ),
        Text("Registret {register}", "The register {register}"),
    ),
    "poll.not_begun": Cause(
        Text(
            "Avläsningen av {system} avbröts innan den hade börjat: {text}",
            "The reading of {system} was cut before it had begun: {text}",
        ),
        Text(
            "Meddela den som sköter bryggan, om det inte går över av sig själv.",
            "Tell whoever runs the bridge, unless it passes by itself.",
        ),
        Text("Anslutningen till {system}", "The connection to {system}"),
    ),
    "poll.not_understood": Cause(
        Text(
            "Svaren från {system} om {register} går inte att tolka sedan flera avläsningar: {text}",
            "What {system} answers for {register} has not been understood for several readings: {text}",
        ),
        Text(
            "Inget: bryggan läser igen vid varje avläsning, och inget anses borttaget. Står problemet kvar i mer än en dag, "
            "fråga leverantören av {system}.",
            "Nothing: the bridge reads again at every poll, and nothing is taken for removed. If the problem stays for more than "
            "a day, ask the vendor of {system}.",
        ),
        Text("Registret {register}", "The register {register}"),
    ),
    "poll.unreadable": Cause(
        Text(
            "En post i {register} kunde inte läsas: {text}.", "A row of {register} could not be read: {text}."
        ),
        Text(
            "Kontrollera posten; övriga poster överförs som vanligt.",
            "Check the record; all others are transferred as usual.",
        ),
        Text("Registret {register}", "The register {register}"),
        closes_by_itself=False,
    ),
    "poll.short_list": Cause(
        Text(
            "Listan {register} i {system} kom inte hel: {got} poster av {expected}.",
            "The list {register} of {system} did not come whole: {got} rows of {expected}.",
        ),
        Text(
            "Inget: bryggan läser listan igen vid varje avläsning. Det som kom överförs; inget anses borttaget. "
            "Står problemet kvar i mer än en dag, fråga leverantören av {system} om listan.",
            "Nothing: the bridge reads the list again at every poll. What came is transferred; nothing is taken for removed. "
            "If this stays for more than a day, ask the vendor of {system} about the list.",
        ),
        Text("Registret {register}", "The register {register}"),
    ),
    "work.poison": Cause(
        Text(
            "Arbetet avbröts {times} gånger i rad utan svar.",
            "The work was cut off {times} times in a row without an answer.",
        ),
        Text("Försök igen när driften är stabil.", "Try again once the installation is stable."),
        _OPERATOR,
    ),
    "work.unavailable": Cause(
        Text(
            "Överföringen har misslyckats tillfälligt {times} gånger: {text}",
            "The transfer has failed temporarily {times} times: {text}",
        ),
        Text("Inget: bryggan fortsätter att försöka.", "Nothing: the bridge goes on trying."),
        _NOWHERE,
    ),
    "work.not_taken": Cause(
        Text(
            "{system} svarade två gånger ja på en ändring av {name} men visar den inte: {fields}.",
            "{system} said yes twice to a change of {name} but does not show it: {fields}.",
        ),
        Text(
            "Ändra fälten för hand där, eller ta reda på varför {system} inte tar emot dem, och försök igen här.",
            "Change the fields by hand there, or find out why {system} does not take them, and try again here.",
        ),
        _NOWHERE,
    ),
    "work.dependency_in_error": Cause(
        Text("{name} har själv ett fel.", "{name} is itself in error."),
        Text(
            "Rätta det felet först; det här fortsätter sedan av sig själv.",
            "Solve that problem first; this then goes on by itself.",
        ),
        Text("Problem", "Problems"),
    ),
    "work.dependency_left_alone": Cause(
        Text(
            "{name} behövs men överförs inte (intern, eller inte med i överföringen).",
            "{name} is needed but is not transferred (internal, or left out of the transfer).",
        ),
        Text(
            "Byt kund, projekt eller artikel i Severa, eller ta med den i överföringen; det här fortsätter sedan av sig själv.",
            "Choose another customer, project or item in Severa, or let it be transferred; this then goes on by itself.",
        ),
        Text("Severa", "Severa"),
    ),
    "work.refused": Cause(
        Text("{system} nekade {operation}: {text}", "{system} refused {operation}: {text}"),
        Text("Rätta det som texten nämner och försök igen.", "Correct what the text names and try again."),
        Text("I det system som nekade", "In the system that refused"),
    ),
    "work.setup": Cause(
        Text("Inställningarna räcker inte: {text}", "The set-up is not complete: {text}"),
        Text("Rätta inställningen och försök igen.", "Correct the setting and try again."),
        _OPERATOR,
    ),
    "work.defect": Cause(
        Text(
            "Ett fel i bryggan hindrar överföringen: {text}",
            "A defect of the bridge prevents the transfer: {text}",
        ),
        Text("Meddela den som driver bryggan.", "Tell the operator of the bridge."),
        _OPERATOR,
        closes_by_itself=False,
    ),
    **explain_waits.CAUSES,
    **status_words.CAUSES,
}

SENTENCES: Mapping[str, Text] = status_words.SENTENCES
