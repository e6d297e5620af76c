"""Words for people about customers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain.explain import Cause, Text

_SEVERA = Text("Severa: Kunder.", "Severa: Customers.")
_ERP = Text("Visma.net ERP: Kunder (AR303000).", "Visma.net ERP: Customers (AR303000).")
_BOTH = Text(f"{_SEVERA.sv} {_ERP.sv}", f"{_SEVERA.en} {_ERP.en}")
_KEYS = Text(
    "Visma.net ERP: Segmenterade nycklar (CS203000) och Nummerserier (CS201010).",
    "Visma.net ERP: Segmented keys (CS203000) and Number series (CS201010).",
)

CAUSES: Mapping[str, Cause] = MappingProxyType(
    {
        "customer.ambiguous": Cause(
            wrong=Text(
                "Kunden {number} {name} i Severa kan vara någon av dessa i Visma.net ERP: {candidates}.",
                "The customer {number} {name} of Severa may be one of these in Visma.net ERP: {candidates}.",
            ),
            do=Text(
                "Är det samma kund: ange samma namn och samma organisations- eller momsregistreringsnummer i båda "
                "systemen. Är det olika kunder: ge dem olika namn och nummer.",
                "Is it the same customer: give both the same name and the same organisation or VAT number. "
                "Are they different customers: give them different names and numbers.",
            ),
            where=_BOTH,
        ),
        "customer.name_taken": Cause(
            wrong=Text(
                "Kunden {number} {name} i Visma.net ERP heter som en annan kund i Severa: {others}.",
                "The customer {number} {name} of Visma.net ERP is called like another customer in Severa: {others}.",
            ),
            do=Text(
                "Kundnamn är unika i Severa: av flera kunder med samma namn i Visma.net ERP kan bara en vara aktiv. "
                "Ge den ena ett annat namn eller inaktivera den.",
                "Customer names are unique in Severa: of several customers of one name in Visma.net ERP only one can be "
                "active. Give one of them another name or deactivate it.",
            ),
            where=_BOTH,
        ),
        "customer.in_doubt": Cause(
            wrong=Text(
                "Svaret uteblev när {name} lades upp i Visma.net ERP, och där finns nu flera likadana kunder: {numbers}.",
                "No answer came when {name} was created in Visma.net ERP, and there are several such customers now: {numbers}.",
            ),
            do=Text(
                "Välj vilken kund som gäller, och inaktivera den andra.",
                "Decide which customer counts, and deactivate the other one.",
            ),
            where=_ERP,
            closes_by_itself=False,
        ),
        "customer.in_doubt_renamed": Cause(
            wrong=Text(
                "Svaret uteblev när {name} lades upp i Visma.net ERP. Den finns inte där, men en ny kund med samma adress finns under ett annat namn: {candidates}.",
                "No answer came when {name} was created in Visma.net ERP. It is not there, but a new customer with the same address is, under another name: {candidates}.",
            ),
            do=Text(
                "Är det samma kund: ge den tillbaka sitt namn och försök igen, byt sedan namn på den. Annars: försök igen när den andra kunden är kopplad eller inaktiv.",
                "If it is the same customer: give it its name back, try again, and rename it then. If not: try again once the other customer is linked or inactive.",
            ),
            where=_ERP,
            closes_by_itself=False,
        ),
        "customer.class_unknown": Cause(
            wrong=Text(
                "Kundklassen {customer_class} som {name} ska få finns inte i Visma.net ERP (där finns: {known}).",
                "The customer class {customer_class} meant for {name} does not exist in Visma.net ERP (there are: {known}).",
            ),
            do=Text(
                "Välj en annan kundklass för kunden, eller ändra standardklassen i inställningarna.",
                "Choose another customer class for the customer, or change the default class in the settings.",
            ),
            where=Text(
                "Visma.net ERP: Kundklasser (AR201000).", "Visma.net ERP: Customer classes (AR201000)."
            ),
        ),
        "customer.country_unknown": Cause(
            wrong=Text(
                "Landet {country} på kunden {name} finns inte bland Severas länder.",
                "The country {country} of the customer {name} is not among Severa's countries.",
            ),
            do=Text(
                "Välj landet på nytt i kundens adress.", "Choose the country again in the customer's address."
            ),
            where=_SEVERA,
        ),
        "customer.number_not_integer": Cause(
            wrong=Text(
                "{name} har kundnumret {number} i Visma.net ERP, men Severa tar bara emot siffror.",
                "{name} has the customer number {number} in Visma.net ERP, but Severa takes digits only.",
            ),
            do=Text(
                "Låt kundnumren bestå av enbart siffror och ge kunden ett sådant nummer.",
                "Let customer numbers consist of digits only and give the customer such a number.",
            ),
            where=_KEYS,
        ),
        "customer.number_occupied": Cause(
            wrong=Text(
                "Kundnumret {number} har i Severa getts till {name}, som i Visma.net ERP är {own}.",
                "The customer number {number} was given to {name} in Severa, which is {own} in Visma.net ERP.",
            ),
            do=Text(
                "Ställ tillbaka kundnumret på {name} i Severa.", "Set the number of {name} back in Severa."
            ),
            where=_SEVERA,
        ),
        "customer.renumbered": Cause(
            wrong=Text(
                "{name} har bytt kundnummer: {number} i Severa, {erp_number} i Visma.net ERP, kopplad som {linked_number}.",
                "{name} was renumbered: {number} in Severa, {erp_number} in Visma.net ERP, linked as {linked_number}.",
            ),
            do=Text(
                "Kunder ska inte numreras om efter kopplingen: ställ tillbaka numret, eller ange samma nummer i båda systemen.",
                "Customers should not be renumbered once linked: set the number back, or give the same number in both systems.",
            ),
            where=_BOTH,
        ),
        "customer.conflict": Cause(
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
        "customer.balance": Cause(
            wrong=Text(
                "{name} är inaktiv i Severa, men har saldot {balance} i Visma.net ERP (kund {number}) och får vara aktiv där.",
                "{name} is inactive in Severa, but has a balance of {balance} in Visma.net ERP (customer {number}) and stays active there.",
            ),
            do=Text(
                "Reglera saldot och försök igen, eller gör kunden aktiv i Severa.",
                "Settle the balance and try again, or make the customer active in Severa.",
            ),
            where=_ERP,
        ),
        "customer.currency_differs": Cause(
            wrong=Text(
                "{name} har valutan {severa} i Severa och {erp} i Visma.net ERP.",
                "{name} has the currency {severa} in Severa and {erp} in Visma.net ERP.",
            ),
            do=Text("Ange samma valuta i båda systemen.", "Set the same currency in both systems."),
            where=_BOTH,
        ),
        "customer.merged": Cause(
            wrong=Text(
                "Kunden {number} finns inte kvar som aktiv kund i {system}; {heir} verkar ha tagit dess plats.",
                "The customer {number} is no active customer in {system} any more; {heir} seems to have taken its place.",
            ),
            do=Text(
                "Är kunderna sammanslagna: koppla om med kommandot {relink}. Annars behöver inget göras.",
                "Were the customers merged: relink with the command {relink}. Otherwise nothing has to be done.",
            ),
            where=_BOTH,
        ),
        "customer.merged_linked": Cause(
            wrong=Text(
                "Kunden {number} ({own}) verkar ha slagits ihop med {heir} i {system}, men {heir} är redan kopplad till {other}.",
                "The customer {number} ({own}) seems to have been merged into {heir} in {system}, but {heir} is linked to {other} already.",
            ),
            do=Text(
                "Bryggan slår aldrig ihop två kunder själv. Bestäm vilken av dem som ska gälla i det andra systemet, flytta det som hör till den andra dit och gör den andra inaktiv.",
                "The bridge never merges two customers by itself. Decide which of them counts in the other system, move what belongs to the other one there, and make the other one inactive.",
            ),
            where=_BOTH,
            closes_by_itself=False,
        ),
        "customer.of_deleted": Cause(
            wrong=Text(
                "{name} finns i Visma.net ERP som kund {number}, kopplad till en kund som har tagits bort i Severa.",
                "{name} exists in Visma.net ERP as customer {number}, linked to a customer that was deleted in Severa.",
            ),
            do=Text(
                "Är det samma kund som lagts upp på nytt: flytta kopplingen till den. Är det en annan: ge den ett annat namn.",
                "Is it the same customer, entered anew: move the link to it. Is it another one: give it another name.",
            ),
            where=_BOTH,
        ),
        "customer.met_differently": Cause(
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
        "customer.status_kept": Cause(
            wrong=Text(
                "{name} är inaktiv i Severa men har status {status} i Visma.net ERP (kund {number}), som bryggan inte skriver över.",
                "{name} is inactive in Severa but has the status {status} in Visma.net ERP (customer {number}), which the bridge does not overwrite.",
            ),
            do=Text(
                "Gör kunden inaktiv i Visma.net ERP för hand, eller aktiv i Severa, och försök igen.",
                "Make the customer inactive in Visma.net ERP by hand, or active in Severa, and try again.",
            ),
            where=_BOTH,
        ),
        "customer.ping_pong": Cause(
            wrong=Text(
                "{name}: dessa fält har skrivits två gånger åt vardera hållet på ett dygn och skrivs inte mer: {fields}.",
                "{name}: these fields were written twice in each direction within a day and are not written any more: {fields}.",
            ),
            do=Text(
                "Kontrollera om ett annat program ändrar kunden, skriv in samma värde i båda systemen och försök igen efter ett dygn.",
                "Check whether another program changes the customer, enter the same value in both systems and try again after a day.",
            ),
            where=_BOTH,
        ),
        "customer.side_effect": Cause(
            wrong=Text(
                "{name}: Visma.net ERP ändrade dessa fält när något annat skrevs, och tar inte tillbaka det: {fields}.",
                "{name}: Visma.net ERP changed these fields when something else was written, and does not take it back: {fields}.",
            ),
            do=Text(
                "Kontrollera fälten; kundklassen kan styra dem.",
                "Check the fields; the customer class may govern them.",
            ),
            where=_ERP,
        ),
        "customer.contact_refused": Cause(
            wrong=Text(
                "Kontaktpersoner på {name} togs inte emot: {text}",
                "Contact persons of {name} were not accepted: {text}",
            ),
            do=Text("Rätta det som felet nämner.", "Correct what the message names."),
            where=Text(
                "Severa: Kunder > Kontaktpersoner. Visma.net ERP: Kontaktpersoner (CR302000).",
                "Severa: Customers > Contacts. Visma.net ERP: Contacts (CR302000).",
            ),
        ),
        "customer.communication_type": Cause(
            wrong=Text(
                "Severa har ingen aktiv kontaktmetod av typen {type}.",
                "Severa has no active communication method of type {type}.",
            ),
            do=Text("Lägg upp en kontaktmetod av den typen.", "Add a communication method of that type."),
            where=Text(
                "Severa: Inställningar > Kontaktmetoder.", "Severa: Settings > Communication methods."
            ),
        ),
        "customer.gone": Cause(
            wrong=Text(
                "Kunden {number} finns inte längre i {system}.",
                "The customer {number} does not exist in {system} any more.",
            ),
            do=Text(
                "Kontrollera om kunden har tagits bort eller slagits ihop med en annan, och koppla om den i bryggan.",
                "Check whether the customer was removed or merged with another one, and relink it in the bridge.",
            ),
            where=_BOTH,
            closes_by_itself=False,
        ),
        "customer.refused": Cause(
            wrong=Text(
                "{system} tog inte emot kunden {name}: {text}",
                "{system} did not accept the customer {name}: {text}",
            ),
            do=Text("Rätta det som felet nämner.", "Correct what the message names."),
            where=_BOTH,
        ),
        "customer.not_allowed": Cause(
            wrong=Text(
                "Anslutningen till {system} saknar rättighet för {operation}: {text}",
                "The connection to {system} lacks the right for {operation}: {text}",
            ),
            do=Text(
                "Ge anslutningen rättigheten: kunder kräver customers:read och customers:write i Severa och rollen API User i Visma.net ERP.",
                "Grant the right to the connection: customers need customers:read and customers:write in Severa and the role API User in Visma.net ERP.",
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
        "customer.linked": Text(
            "{name} kopplades till kund {number} i Visma.net ERP.",
            "{name} was linked to customer {number} in Visma.net ERP.",
        ),
        "customer.created_in_erp": Text(
            "{name} lades upp i Visma.net ERP med kundklass {customer_class} och fick nummer {number}.",
            "{name} was created in Visma.net ERP with customer class {customer_class} and got number {number}.",
        ),
        "customer.created_in_severa": Text(
            "Kund {number} {name} lades upp i Severa.", "The customer {number} {name} was created in Severa."
        ),
        "customer.numbered": Text(
            "{name} fick kundnummer {number} i Severa (förut {old}).",
            "{name} was given the customer number {number} in Severa (before: {old}).",
        ),
        "customer.interim_number": Text(
            "{name} hade kundnummer {number}, som Visma.net ERP har gett en annan kund, och har {interim} tills vidare.",
            "{name} had the customer number {number}, which Visma.net ERP gave to another customer, and has {interim} for now.",
        ),
        "customer.updated_in_erp": Text(
            "Kund {number} {name} ändrades i Visma.net ERP: {fields}.",
            "The customer {number} {name} was changed in Visma.net ERP: {fields}.",
        ),
        "customer.updated_in_severa": Text(
            "Kund {number} {name} ändrades i Severa: {fields}.",
            "The customer {number} {name} was changed in Severa: {fields}.",
        ),
        "customer.overruled": Text(
            "{name}: {field} ändrades i båda systemen, {winner} vann; '{lost}' skrevs över.",
            "{name}: {field} was changed in both systems, {winner} won; '{lost}' was overwritten.",
        ),
        "customer.differs": Text(
            "{name}: {field} skiljer sig ('{severa}' i Severa, '{erp}' i Visma.net ERP); båda får stå kvar tills en ändras.",
            "{name}: {field} differs ('{severa}' in Severa, '{erp}' in Visma.net ERP); both stay until one is changed.",
        ),
        "customer.terms_not_sent": Text(
            "{name}: betalningsvillkoret fördes inte över ({days} dagar i Severa, {term} i Visma.net ERP; villkor som passar: {known}).",
            "{name}: the payment term was not carried over ({days} days in Severa, {term} in Visma.net ERP; terms that fit: {known}).",
        ),
        "customer.country_not_sent": Text(
            "{name}: landet {country} finns inte bland Severas länder och fördes inte över.",
            "{name}: the country {country} is not among Severa's countries and was not carried over.",
        ),
        "customer.contact_linked": Text(
            "Kontaktpersonen {contact} kopplades.", "The contact person {contact} was linked."
        ),
        "customer.contact_created_in_erp": Text(
            "Kontaktpersonen {contact} lades upp i Visma.net ERP.",
            "The contact person {contact} was created in Visma.net ERP.",
        ),
        "customer.contact_created_in_severa": Text(
            "Kontaktpersonen {contact} lades upp i Severa.",
            "The contact person {contact} was created in Severa.",
        ),
        "customer.contact_updated_in_erp": Text(
            "Kontaktpersonen {contact} ändrades i Visma.net ERP: {fields}.",
            "The contact person {contact} was changed in Visma.net ERP: {fields}.",
        ),
        "customer.contact_updated_in_severa": Text(
            "Kontaktpersonen {contact} ändrades i Severa: {fields}.",
            "The contact person {contact} was changed in Severa: {fields}.",
        ),
        "customer.contact_emptied": Text(
            "Kontaktpersonen {contact}: {fields} tömdes i det ena systemet och får stå kvar i det andra.",
            "The contact person {contact}: {fields} was emptied in one system and stays in the other.",
        ),
        "customer.contacts_ambiguous": Text(
            "Dessa kontaktpersoner kan vara flera i det andra systemet och kopplades inte: {contacts}.",
            "These contact persons may be several in the other system and were not linked: {contacts}.",
        ),
        "customer.address_not_main": Text(
            "{name}: adressen lades upp i Severa, men inte som huvudkontor: {text}",
            "{name}: the address was created in Severa, but not as headquarters: {text}",
        ),
    }
)
