"""Words for people about products, work types and travel expenses."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain.explain import Cause, Text

_REGISTERS = Text(
    "Severa: Inställningar > Register över arbetstyper, resekostnader & produkter.",
    "Severa: Settings > Registers of work types, travel expenses & products.",
)
_ITEMS = Text(
    "Visma.net ERP: Ej lagerförda artiklar (IN202000).", "Visma.net ERP: Non-stock items (IN202000)."
)
_CLASSES = Text("Visma.net ERP: Artikelklasser (IN201000).", "Visma.net ERP: Item classes (IN201000).")
_BOTH = Text(f"{_REGISTERS.sv} {_ITEMS.sv}", f"{_REGISTERS.en} {_ITEMS.en}")

CAUSES: Mapping[str, Cause] = MappingProxyType(
    {
        "product.code_missing": Cause(
            wrong=Text("{name} ({register}) saknar kod.", "{name} ({register_en}) has no code."),
            do=Text(
                "Ange en kod som är unik bland produkter, arbetstyper och resekostnader.",
                "Give it a code that is unique among products, work types and travel expenses.",
            ),
            where=_REGISTERS,
        ),
        "product.code_not_unique": Cause(
            wrong=Text(
                "Koden {code} används både av {name} ({register}) och av {other} ({other_register}).",
                "The code {code} is used both by {name} ({register_en}) and by {other} ({other_register_en}).",
            ),
            do=Text(
                "Ändra koden på den ena: de tre registren är ett enda register i Visma.net ERP.",
                "Change the code of one of them: the three registers are a single one in Visma.net ERP.",
            ),
            where=_REGISTERS,
        ),
        "product.code_too_long": Cause(
            wrong=Text(
                "Koden {code} ({name}) har {length} tecken, men artikelnumret får ha högst {limit}.",
                "The code {code} ({name}) has {length} characters, but an item number may have {limit} at most.",
            ),
            do=Text(
                "Förläng nyckeln INVENTORY eller ge artikeln en kortare kod.",
                "Lengthen the key INVENTORY or give the record a shorter code.",
            ),
            where=Text(
                "Visma.net ERP: Segmenterade nycklar (CS203000).", "Visma.net ERP: Segmented keys (CS203000)."
            ),
        ),
        "product.code_taken": Cause(
            wrong=Text(
                "{name} har koden {code}, men den är redan kopplad till {other}.",
                "{name} has the code {code}, but that is linked to {other} already.",
            ),
            do=Text("Ge den ena en annan kod.", "Give one of them another code."),
            where=_BOTH,
        ),
        "product.code_of_deleted": Cause(
            wrong=Text(
                "{name} har koden {code}, som i Visma.net ERP hör till en artikel vars post har tagits bort i Severa ({other}).",
                "{name} has the code {code}, which in Visma.net ERP belongs to an item whose record was deleted in Severa ({other}).",
            ),
            do=Text(
                "Är det samma sak som lagts upp på nytt: flytta artikelns koppling till {name}. Annars: ge {name} en annan kod.",
                "Is it the same thing, entered anew: move the item's link to {name}. If not: give {name} another code.",
            ),
            where=_BOTH,
        ),
        "product.met_differently": Cause(
            wrong=Text(
                "{name} finns i båda systemen och är kopplad, men uppgifterna skiljer sig: {fields}.",
                "{name} exists in both systems and is linked, but they differ: {fields}.",
            ),
            do=Text(
                "Skriv in det värde som gäller i det system som har det andra; inget skrivs över innan dess.",
                "Enter the value that counts in the system that has the other one; nothing is overwritten before.",
            ),
            where=_BOTH,
        ),
        "product.type_differs": Cause(
            wrong=Text(
                "Artikeln {code} har artikeltypen {type}, men {name} är en {register} i Severa ({wanted}).",
                "The item {code} is of type {type}, but {name} is a {register_en} in Severa ({wanted}).",
            ),
            do=Text(
                "Rätta artikeltypen i Visma.net ERP eller flytta posten till rätt register i Severa.",
                "Correct the item type in Visma.net ERP or move the record to the right register in Severa.",
            ),
            where=_BOTH,
        ),
        "product.class_unknown": Cause(
            wrong=Text(
                "Artikelklassen {item_class} som {name} ska få finns inte i Visma.net ERP (där finns: {known}).",
                "The item class {item_class} meant for {name} does not exist in Visma.net ERP (there are: {known}).",
            ),
            do=Text(
                "Välj en annan artikelklass för posten, eller ändra standardklassen i inställningarna.",
                "Choose another item class for the record, or change the default class in the settings.",
            ),
            where=_CLASSES,
        ),
        "product.class_type": Cause(
            wrong=Text(
                "Artikelklassen {item_class} har typen {type}, men {name} är en {register} och behöver {wanted}.",
                "The item class {item_class} is of type {type}, but {name} is a {register_en} and needs {wanted}.",
            ),
            do=Text(
                "Välj en artikelklass av rätt typ för posten, eller ändra standardklassen i inställningarna.",
                "Choose an item class of the right type for the record, or change the default class in the settings.",
            ),
            where=_CLASSES,
        ),
        "product.currency_unknown": Cause(
            wrong=Text(
                "Organisationens valuta går inte att läsa i Severa, och ett pris utan valuta kan inte sparas.",
                "The organisation's currency cannot be read from Severa, and a price without currency cannot be saved.",
            ),
            do=Text("Kontrollera valutorna i Severa.", "Check the currencies in Severa."),
            where=Text("Severa: Inställningar > Valutor.", "Severa: Settings > Currencies."),
        ),
        "product.not_found_after_create": Cause(
            wrong=Text(
                "Artikeln {code} ({name}) skapades, men finns inte under det numret i Visma.net ERP.",
                "The item {code} ({name}) was created, but Visma.net ERP has none of that number.",
            ),
            do=Text(
                "Kontrollera att nyckeln INVENTORY tar emot koden oförändrad.",
                "Check that the key INVENTORY takes the code unchanged.",
            ),
            where=Text(
                "Visma.net ERP: Segmenterade nycklar (CS203000).", "Visma.net ERP: Segmented keys (CS203000)."
            ),
        ),
        "product.conflict": Cause(
            wrong=Text(
                "{name} har ändrats olika i båda systemen (Severa / Visma.net ERP): {fields}.",
                "{name} was changed differently in both systems (Severa / Visma.net ERP): {fields}.",
            ),
            do=Text(
                "Skriv in samma värde i det system som ska ändras.",
                "Enter the same value in the system that has to change.",
            ),
            where=_BOTH,
        ),
        "product.renumbered": Cause(
            wrong=Text(
                "{name} har bytt kod: {code} i Severa, {erp_code} i Visma.net ERP, kopplad som {linked_code}.",
                "{name} was given another code: {code} in Severa, {erp_code} in Visma.net ERP, linked as {linked_code}.",
            ),
            do=Text(
                "Koder ska inte ändras efter kopplingen: ställ tillbaka koden, eller ändra den likadant i båda systemen.",
                "Codes should not change once linked: set the code back, or change it alike in both systems.",
            ),
            where=_BOTH,
        ),
        "product.merged": Cause(
            wrong=Text(
                "{code} finns inte längre i {system}; {heir} verkar ha tagit dess plats.",
                "{code} does not exist in {system} any more; {heir} seems to have taken its place.",
            ),
            do=Text(
                "Är det samma post: koppla om med kommandot {relink}.",
                "Is it the same record: relink with the command {relink}.",
            ),
            where=_BOTH,
        ),
        "product.ping_pong": Cause(
            wrong=Text(
                "{name}: dessa fält har skrivits två gånger åt vardera hållet på ett dygn och skrivs inte mer: {fields}.",
                "{name}: these fields were written twice in each direction within a day and are not written any more: {fields}.",
            ),
            do=Text(
                "Kontrollera om ett annat program ändrar posten, skriv in samma värde i båda systemen och försök igen efter ett dygn.",
                "Check whether another program changes the record, enter the same value in both systems and try again after a day.",
            ),
            where=_BOTH,
        ),
        "product.gone": Cause(
            wrong=Text("{code} finns inte längre i {system}.", "{code} does not exist in {system} any more."),
            do=Text(
                "Lägg upp posten igen med samma kod och koppla om den i bryggan.",
                "Create the record again with the same code and relink it in the bridge.",
            ),
            where=_BOTH,
            closes_by_itself=False,
        ),
        "product.refused": Cause(
            wrong=Text("{system} tog inte emot {name}: {text}", "{system} did not accept {name}: {text}"),
            do=Text("Rätta det som felet nämner.", "Correct what the message names."),
            where=_BOTH,
        ),
        "product.not_allowed": Cause(
            wrong=Text(
                "Anslutningen till {system} saknar rättighet för {operation}: {text}",
                "The connection to {system} lacks the right for {operation}: {text}",
            ),
            do=Text(
                "Ge anslutningen rättigheten: produkter kräver settings:read och settings:write i Severa.",
                "Grant the right to the connection: products need settings:read and settings:write in Severa.",
            ),
            where=Text("Severa: Integrationer > REST API.", "Severa: Integrations > REST API."),
        ),
    }
)

SENTENCES: Mapping[str, Text] = MappingProxyType(
    {
        "product.linked": Text(
            "{name} kopplades till artikel {code} med samma kod.",
            "{name} was linked to the item {code} of the same code.",
        ),
        "product.created_in_erp": Text(
            "{name} lades upp som artikel {code} i Visma.net ERP.",
            "{name} was created as item {code} in Visma.net ERP.",
        ),
        "product.created_in_severa": Text(
            "Artikel {code} {name} lades upp i Severa.", "The item {code} {name} was created in Severa."
        ),
        "product.updated_in_erp": Text(
            "{code} {name} ändrades i Visma.net ERP: {fields}.",
            "{code} {name} was changed in Visma.net ERP: {fields}.",
        ),
        "product.updated_in_severa": Text(
            "{code} {name} ändrades i Severa: {fields}.", "{code} {name} was changed in Severa: {fields}."
        ),
        "product.overruled": Text(
            "{name}: {field} ändrades i båda systemen, {winner} vann; '{lost}' skrevs över.",
            "{name}: {field} was changed in both systems, {winner} won; '{lost}' was overwritten.",
        ),
        "product.differs": Text(
            "{name}: {field} skiljer sig ('{severa}' i Severa, '{erp}' i Visma.net ERP); båda får stå kvar tills en ändras.",
            "{name}: {field} differs ('{severa}' in Severa, '{erp}' in Visma.net ERP); both stay until one is changed.",
        ),
        "product.foreign_price": Text(
            "{name}: priset {price} {price_currency} fördes inte över, Visma.net ERP:s priser är i {currency}.",
            "{name}: the price {price} {price_currency} was not carried over, Visma.net ERP has its prices in {currency}.",
        ),
    }
)
