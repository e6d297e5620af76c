"""Contact persons of customers."""

from __future__ import annotations

from typing import Any

from simulators.visma_net import blocks
from simulators.visma_net.answers import Answer, changed, created, entry_refused, not_found, not_in_system
from simulators.visma_net.call import Call, Routes
from simulators.visma_net.customers import customer_of
from simulators.visma_net.paging import by_times, whole_list
from simulators.visma_net.state import Company, Row

_CONTACT_PLAIN = (
    "active",
    "title",
    "firstName",
    "lastName",
    "position",
    "sameAsAccount",
    "email",
    "web",
    "phone1",
    "phone2",
    "phone3",
    "fax",
    "contactMethod",
    "doNotCall",
    "doNotFax",
    "doNotEmail",
    "doNotMail",
    "noMassMail",
    "noMarketing",
)


def _fill_contact(company: Company, body: dict[str, Any], sent: dict[str, Any]) -> None:
    body.update({name: sent[name] for name in _CONTACT_PLAIN if name in sent})
    if "businessAccount" in sent:
        account = company.register("customer").get(sent["businessAccount"])
        if account is None and company.register("supplier").get(sent["businessAccount"]) is None:
            raise not_in_system("BAccountID", sent["businessAccount"])
        # Kept by the record, not by its number: a renumbered customer keeps its contacts.
        body["account"] = account or company.register("supplier").get(sent["businessAccount"])
    if "address" in sent:
        body["address"] = blocks.address(company, sent["address"], body.get("address"))
    if not body.get("lastName"):
        raise entry_refused("'Last name' cannot be empty.", "saving contact")


def new_contact(company: Company, sent: dict[str, Any]) -> Row:
    """A contact with every member that the document has, filled with what was sent."""
    body: dict[str, Any] = {"active": True, "title": None, "contactMethod": "Any", "sameAsAccount": False}
    body.update(
        dict.fromkeys(
            ("firstName", "lastName", "position", "email", "web", "phone1", "phone2", "phone3", "fax"), ""
        )
    )
    body.update(
        dict.fromkeys(
            ("doNotCall", "doNotFax", "doNotEmail", "doNotMail", "noMassMail", "noMarketing"), False
        )
    )
    body["account"] = None
    _fill_contact(company, body, sent)
    row = company.new_row("contact", f"#{company.next_id()}", body)
    company.register("contact").rename(row, str(row.internal_id))
    return row


def change_contact(company: Company, row: Row, sent: dict[str, Any]) -> None:
    """Puts what was sent over a contact, or refuses it whole."""
    body = {**row.body}
    _fill_contact(company, body, sent)
    row.body = body
    company.touch(row)


def render_contact(company: Company, row: Row) -> dict[str, Any]:
    """The contact as the API shows it; its address is the account's where they are the same."""
    body = row.body
    account: Row | None = body["account"]
    given = body.get("address")
    if body["sameAsAccount"] and account is not None:
        given = account.body["mainAddress"]
    return {
        **{name: value for name, value in body.items() if name not in ("account", "address")},
        "displayName": ", ".join(part for part in (body["lastName"], body["firstName"]) if part),
        "businessAccount": account.key if account else "",
        "businessAccountType": "Customer" if account else "",
        "address": given,
        "lastModifiedDateTime": company.shown(row.modified),
        "contactId": row.internal_id,
        "timeStamp": row.etag,
    }


def _contacts(call: Call) -> Answer:
    company = call.company
    rows = by_times(call, company.register("contact"), lambda row: row.modified)
    owner = call.text("businessAccount")
    if "customerCd" in call.params:
        owner = customer_of(company, call.params["customerCd"]).key
    if owner:
        rows = [
            row
            for row in rows
            if row.body["account"] and row.body["account"].key.casefold() == owner.casefold()
        ]
    active = call.flag("active")
    if active is not None:
        rows = [row for row in rows if row.body["active"] is active]
    for name in ("firstName", "lastName", "email"):
        value = call.text(name)
        if value:
            rows = [row for row in rows if str(row.body[name]).casefold() == value.casefold()]
    display = call.text("displayName")
    if display:
        rows = [
            row
            for row in rows
            if render_contact(company, row)["displayName"].casefold() == display.casefold()
        ]
    return Answer(200, whole_list(call, rows, lambda row: render_contact(company, row)))


def _contact_row(call: Call) -> Row:
    row = call.company.register("contact").find(call.number("contactId"))
    if row is None:
        raise not_found("The contact")
    return row


def _contact(call: Call) -> Answer:
    row = _contact_row(call)
    return Answer(200, render_contact(call.company, row), {"ETag": f'"{row.etag}"'})


def _post_contact(call: Call) -> Answer:
    row = new_contact(call.company, call.update("ContactUpdateDto"))
    return created(call.location(f"/v1/contact/{row.internal_id}"), row.etag)


def _put_contact(call: Call) -> Answer:
    row = _contact_row(call)
    call.check_version(row.etag)
    change_contact(call.company, row, call.update("ContactUpdateDto"))
    return changed(call.location(f"/v1/contact/{row.internal_id}"), row.etag)


def add_routes(routes: Routes) -> None:
    """Contacts below their customer and by themselves."""
    routes.add("GET", "/v1/customer/{customerCd}/contact", _contacts)
    routes.add("GET", "/v1/contact", _contacts)
    routes.add("POST", "/v1/contact", _post_contact)
    routes.add("GET", "/v1/contact/{contactId}", _contact)
    routes.add("PUT", "/v1/contact/{contactId}", _put_contact)
