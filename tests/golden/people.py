"""Cases of contact persons and of projects, drawn as those of ``golden.parties``."""

from __future__ import annotations

from golden.parties import RULES, as_read, changed, either
from golden.shapes import Document, Draw, Json

TITLES = ("Mr", "Mrs", "Ms", "Doctor", "Miss", "Prof", "", "mr")


# ---------------------------------------------------------------- contacts


def contact(draw: Draw, severa: Document, erp: Document) -> Json:
    guid = draw.guid()
    truth = {
        "first": draw.pick(("Åsa", "Jörgen", "-", "", "Anna Maria", "BO")),
        "last": draw.pick(("Öberg", "Lind", "-", "", "von Essen")),
        "title": draw.pick(TITLES),
        "position": draw.pick(("VD", "Ekonomichef", "", "inköp")),
        "mobile": draw.pick(("+46 70-123 45 67", "0701234567", "(070) 123 4567", "")),
        "phone": draw.pick(("090-12 34 56", "090123456", "")),
        "email": draw.pick(("asa@fjall.example", "Asa@Fjall.EXAMPLE", "")),
    }
    kinds = severa.words("CommunicationTypeModel", "type")
    salutations = severa.words("ContactModel", "salutation")

    def ours() -> Json:
        return severa.body(
            draw,
            "ContactModel",
            {
                "guid": guid,
                "firstName": draw.maybe(draw.spelt(truth["first"])),
                "lastName": draw.maybe(draw.spelt(truth["last"])),
                "salutation": draw.maybe(draw.pick((truth["title"] + ".", *salutations))),
                "jobTitle": draw.maybe(draw.spelt(truth["position"])),
                "isActive": draw.flag(),
                "isDeleted": draw.maybe(draw.chance(0.1)),
                "isEmailAllowed": draw.maybe(draw.flag()),
                "customer.guid": draw.short_guid("customer", 5),
                "createdDateTime": draw.moment(zone=True),
            },
        )

    def spoken() -> list[Json]:
        values = {"MobilePhone": truth["mobile"], "Phone": truth["phone"], "EmailAddress": truth["email"]}
        found = []
        for _ in range(draw.number(0, 5)):
            kind = draw.pick((*values, *kinds))
            members = {
                "guid": draw.guid(),
                "value": draw.maybe(draw.spelt(either(draw, values.get(kind, "x"), "08-1"))),
                "communicationType.type": kind,
                "contact.guid": draw.maybe(guid, 0.03),
                "isForbiddenToUse": draw.flag(),
                "createdDateTime": draw.maybe(draw.moment(zone=True), 0.05),
            }
            found.append(severa.body(draw, "ContactCommunicationModel", members))
        return found

    def theirs() -> Json:
        return erp.body(
            draw,
            "ContactDto",
            {
                "contactId": 501,
                "title": draw.maybe(either(draw, truth["title"], draw.pick(TITLES))),
                "firstName": draw.maybe(draw.spelt(truth["first"])),
                "lastName": draw.maybe(draw.spelt(truth["last"])),
                "position": draw.maybe(draw.spelt(truth["position"])),
                "phone1": draw.maybe(either(draw, truth["mobile"], truth["phone"])),
                "phone2": draw.maybe(either(draw, truth["phone"], "08 123")),
                "email": draw.maybe(draw.spelt(truth["email"])),
                "doNotEmail": draw.maybe(draw.flag()),
                "active": draw.maybe(draw.flag()),
                "businessAccount": draw.maybe(str(draw.number(10000, 10005)), 0.05),
                "lastModifiedDateTime": draw.moment(zone=False),
            },
        )

    first, other = ours(), as_read(draw, theirs())
    return {
        "severa": first,
        "communications": spoken(),
        "erp": other,
        "then": {
            "severa": changed(draw, ours(), first, 3),
            "erp": changed(draw, theirs(), other, 3),
            "communications": spoken() if draw.chance(0.4) else None,
        },
        "rule": draw.pick(RULES),
        "latest": draw.pick((None, "severa", "visma_net")),
    }


# ---------------------------------------------------------------- projects


def sales_status_rows(draw: Draw, severa: Document) -> list[Json]:
    """Severa's sales statuses, one for each word that the document has."""
    states = severa.words("SalesStatusTypeOutputModel", "salesState")
    return [
        severa.body(
            draw,
            "SalesStatusTypeOutputModel",
            {"guid": f"sales-{n}", "name": f"Läge {n}", "salesState": state, "isActive": True},
        )
        for n, state in enumerate(states)
    ]


def project(draw: Draw, severa: Document, erp: Document) -> Json:
    truth = {"name": draw.name(), "number": str(draw.number(1, 99999)), "start": draw.date()}
    guid, statuses = draw.guid(), len(severa.words("SalesStatusTypeOutputModel", "salesState"))

    def ours() -> Json:
        return severa.body(
            draw,
            "ProjectOutputModel",
            {
                "guid": guid,
                "number": draw.maybe(int(truth["number"]), 0.05),
                "name": draw.maybe(draw.spelt(truth["name"]), 0.05),
                "customer.guid": draw.short_guid("customer", 5),
                "startDate": draw.maybe(either(draw, truth["start"], draw.date()), 0.2),
                "isClosed": draw.maybe(draw.chance(0.3)),
                "isInternal": draw.maybe(draw.chance(0.1)),
                "salesStatus.salesStatusTypeGuid": draw.maybe(f"sales-{draw.number(0, statuses)}"),
                "rootPhase.guid": draw.maybe(draw.short_guid("phase", 5)),
                "currency.code": draw.maybe(draw.currency()),
                "createdDateTime": draw.maybe(draw.moment(zone=True)),
                "lastUpdatedDateTime": draw.maybe(draw.moment(zone=True)),
            },
        )

    def theirs() -> Json:
        tasks = [
            {
                "taskId": draw.pick(("10", "10", "A1", "a1", "20")),
                "status": draw.pick(("Active", "Active", "InPlanning", "Completed", None)),
            }
            for _ in range(draw.number(0, 3))
        ]
        return erp.body(
            draw,
            "ProjectDto",
            {
                "internalID": 77,
                "projectID": truth["number"].zfill(6) if draw.chance(0.3) else truth["number"],
                "description": draw.maybe(draw.spelt(truth["name"])),
                "customer.number": draw.maybe(str(draw.number(10000, 10002))),
                "startDate": draw.maybe(either(draw, truth["start"] + "T00:00:00", draw.erp_date())),
                "status": draw.maybe(draw.pick(("Active", "Active", "Completed", "Cancelled", "InPlanning"))),
                "hold": draw.flag(),
                "tasks": draw.maybe(tasks),
                "lastModifiedDateTime": draw.moment(zone=False),
            },
        )

    first, other = ours(), as_read(draw, theirs())
    return {
        "severa": first,
        "erp": other,
        "then": {"severa": changed(draw, ours(), first, 3), "erp": changed(draw, theirs(), other, 3)},
        "customer": str(draw.number(10000, 10002)),
        "internal_customer": draw.chance(0.05),
        "task": draw.pick(("10", "10", "A1")),
        "transferring": draw.chance(0.2),
        "length": draw.pick((None, None, 4, 10)),
        "padding": draw.pick((0, 0, 0, 6)),
        "time_zone": draw.pick(("Europe/Stockholm", "Europe/Helsinki", "UTC")),
    }
