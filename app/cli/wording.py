"""Headings and fixed words of lists, in the tenant's language: those who read them are its finance staff.

What commands answer to the operator (sentences of ``tenant``, ``db``, ``secrets``) is English, as are the codes of JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain.explain import Text

WORDS: Mapping[str, Text] = MappingProxyType(
    {
        # titles
        "transfer_log": Text("Överföringslogg", "Transfer log"),
        "problems": Text("Problem", "Problems"),
        "in_doubt": Text("Oklart om bokfört", "In doubt"),
        "gaps": Text("Luckor i nummerserien", "Number gaps"),
        "branches": Text("Resultatenheter", "Branches"),
        "classes": Text("Klasser", "Classes"),
        "settings": Text("Inställningar", "Settings"),
        "counted": Text("Antal per orsak", "Counted by cause"),
        "none": Text("inga", "none"),
        "times_in": Text("tider i {zone}", "times in {zone}"),
        # headings
        "id": Text("nr", "id"),
        "time": Text("tid", "time"),
        "since": Text("sedan", "since"),
        "opened": Text("uppstod", "opened"),
        "closed": Text("stängt", "closed"),
        "domain": Text("område", "domain"),
        "record": Text("post", "record"),
        "number": Text("nummer", "number"),
        "name": Text("namn", "name"),
        "outcome": Text("resultat", "outcome"),
        "level": Text("nivå", "level"),
        "sentence": Text("vad som hände", "what happened"),
        "wrong": Text("vad som är fel", "what is wrong"),
        "do": Text("vad som ska göras", "what to do"),
        "where": Text("var", "where"),
        "cause": Text("orsak", "cause"),
        "code": Text("kod", "code"),
        "times": Text("gånger", "times"),
        "count": Text("antal", "count"),
        "open": Text("öppna", "open"),
        "first": Text("första", "first"),
        "last": Text("senaste", "last"),
        "total": Text("totalt", "total"),
        "candidates": Text("kandidater", "candidates"),
        "document": Text("dokument", "document"),
        "removed": Text("borttaget", "removed"),
        "severa_invoice": Text("faktura i Severa", "Severa invoice"),
        "reason": Text("skäl", "reason"),
        "business_unit": Text("affärsenhet", "business unit"),
        "branch": Text("resultatenhet", "branch"),
        "class": Text("klass", "class"),
        "description": Text("beskrivning", "description"),
        "chosen": Text("vald", "chosen"),
        "yes": Text("ja", "yes"),
        "setting": Text("inställning", "setting"),
        "value": Text("värde", "value"),
        "version": Text("version", "version"),
        "by": Text("av", "by"),
        "changed": Text("ändrade", "changed"),
        "no_problems": Text("{tenant} har inga problem.", "Tenant '{tenant}' has no problems."),
        "no_open_problems": Text("{tenant} har inga öppna problem.", "Tenant '{tenant}' has no open problems."),
        "none_of_these": Text("{tenant} har inga sådana problem.", "Tenant '{tenant}' has no such problems."),
        "more": Text("… och fler: begränsa urvalet, eller öka --limit.", "… and more: ask for less, or raise --limit."),
        # domains, levels, outcomes
        "domain.customer": Text("kund", "customer"),
        "domain.product": Text("artikel", "product"),
        "domain.project": Text("projekt", "project"),
        "domain.invoice": Text("faktura", "invoice"),
        "domain.payment": Text("betalning", "payment"),
        "domain.cost": Text("kostnad", "cost"),
        "domain.connection": Text("anslutning", "connection"),
        "domain.poll": Text("avläsning", "reading"),
        "level.info": Text("information", "info"),
        "level.warning": Text("varning", "warning"),
        "level.error": Text("fel", "error"),
        "outcome.done": Text("klart", "done"),
        "outcome.failed": Text("problem", "failed"),
        "outcome.later": Text("senare", "later"),
        "outcome.waiting": Text("väntar", "waiting"),
        "outcome.in_doubt": Text("oklart", "in doubt"),
    }
)  # fmt: skip


def word(key: str, language: str, **values: str) -> str:
    """A heading or fixed word; the last part of a key that has no text (a code of a later version) stands for itself."""
    found = WORDS.get(key)
    return key.rpartition(".")[2] if found is None else found.fill(language, values)
