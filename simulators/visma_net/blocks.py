"""Address and contact blocks, references and file uploads: shapes many records share."""

from __future__ import annotations

import uuid
from typing import Any

from simulators.visma_net.answers import Answer, not_found, not_in_system, rule_broken
from simulators.visma_net.call import Call
from simulators.visma_net.documents import Document, JournalBatch, JournalLine, Line, SupplierDocument
from simulators.visma_net.documents import SupplierLine as _SupplierLine
from simulators.visma_net.state import Attachment, Company, Row

_TEXTS = ("addressLine1", "addressLine2", "addressLine3", "postalCode", "city")
CONTACT_TEXTS = ("name", "attention", "email", "web", "phone1", "phone2", "fax")


def country(company: Company, code: str) -> dict[str, Any]:
    """A country reference; refuses a code the company does not know."""
    if code not in company.countries:
        raise not_in_system("CountryID", code)
    return {"id": code, "name": company.countries[code], "metadata": {"totalCount": 0, "maxPageSize": 0}}


def address(company: Company, sent: dict[str, Any], before: dict[str, Any] | None = None) -> dict[str, Any]:
    """An address block after the sent members were put on the one before; the country defaults to the
    company's own."""
    block: dict[str, Any] = dict(before) if before else dict.fromkeys(_TEXTS, "")
    block.setdefault("addressId", company.next_id())
    for name in _TEXTS:
        if name in sent:
            block[name] = sent[name]
    if sent.get("countryId"):
        block["country"] = country(company, sent["countryId"])
    block.setdefault("country", company.organization["defaultCountry"])
    if "county" in sent:
        block["county"] = {"id": sent["county"], "name": sent["county"]} if sent["county"] else None
    block.setdefault("county", None)
    return block


def contact_block(
    company: Company, sent: dict[str, Any], before: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A contact block with what was sent over what was there."""
    block = dict(before) if before else {"contactId": company.next_id(), **dict.fromkeys(CONTACT_TEXTS, "")}
    block.update({name: sent[name] for name in CONTACT_TEXTS if name in sent})
    return block


def branch(company: Company, number: str) -> dict[str, Any]:
    """A branch as records refer to it. Refuses an unknown one."""
    if number not in company.branches:
        raise not_in_system("BranchID", number)
    return {"number": number, "name": company.branches[number]["name"]}


def main_branch(company: Company) -> str:
    """The first branch of the company."""
    return next(iter(company.branches))


def location(customer: Row) -> dict[str, Any]:
    """The only location that a customer has here, in its main address's country."""
    return {
        "countryId": customer.body["mainAddress"]["country"]["id"],
        "id": "MAIN",
        "name": "Primary Location",
    }


def account(company: Company, number: str) -> dict[str, Any] | None:
    """An account as records refer to it; None for an unknown one."""
    row = company.register("account").get(number)
    if row is None:
        return None
    body = row.body
    return {
        "type": body["type"],
        "externalCode1": "",
        "externalCode2": "",
        "active": body["active"],
        "number": row.key,
        "description": body["description"],
    }


def short_account(company: Company, number: str) -> dict[str, Any] | None:
    """The account as items show it: type, number and description only."""
    shape = account(company, number)
    return shape and {name: shape[name] for name in ("type", "number", "description")}


def subaccount(segments: list[dict[str, Any]]) -> dict[str, Any]:
    """Segments of a subaccount with the whole number they make."""
    shown = segments or [{"segmentId": 1, "segmentValue": "00"}]
    value = "-".join(str(segment.get("segmentValue", "")) for segment in shown)
    return {
        "subaccountNumber": value,
        "subaccountId": 1,
        "description": "",
        "active": True,
        "segments": [
            {**segment, "segmentDescription": "", "segmentValueDescription": ""} for segment in shown
        ],
    }


def project(row: Row | None) -> dict[str, Any]:
    """A project or task reference; a document without one shows the non-project."""
    if row is None:
        return {"internalId": 0, "id": "X", "description": "Non-Project Code."}
    return {"internalId": row.internal_id, "id": row.key, "description": row.body["description"]}


Owner = Document | Line | SupplierDocument | _SupplierLine | JournalBatch | JournalLine | Row


def attach(company: Company, owner: Owner, name: str, content: bytes, content_type: str) -> Attachment:
    """Add a file; the same name again is a new revision of it (docs/vendors/visma-net-erp.md E61)."""
    file = next((file for file in owner.attachments if file.name == name), None)
    if file is not None:
        file.content, file.content_type = content, content_type
        file.revision += 1
        return file
    file = Attachment(str(uuid.uuid4()), name, content, content_type)
    owner.attachments.append(file)
    company.attachments[file.id] = file
    return file


def receive_upload(call: Call, owner: Owner) -> Answer:
    """Take the file of a multipart call; anything but multipart is refused (docs/vendors/visma-net-erp.md E61)."""
    if not call.uploads:
        raise rule_broken("The request must be multipart/form-data with one file.")
    for upload in call.uploads:
        file = attach(call.company, owner, upload.name, upload.content, upload.content_type)
    return Answer(201, None, {"Location": call.location(f"/v1/attachment/{file.id}")})


def download(call: Call) -> Answer:
    """GET of an attachment: its bytes under its name."""
    file = call.company.attachments.get(call.params["attachmentId"].lower())
    if file is None:
        raise not_found("The attachment")
    quoted = file.name.encode("ascii", "replace").decode().replace('"', "'")
    return Answer(
        200, file.content, {"Content-Disposition": f'attachment; filename="{quoted}"'}, file.content_type
    )


def mark_attachment(call: Call) -> Answer:
    """PUT of an attachment: whether AutoInvoice takes it along."""
    file = call.company.attachments.get(call.params["attachmentId"].lower())
    if file is None:
        raise not_found("The attachment")
    sent = call.update("AttachmentMetadataUpdateDto")
    file.send_to_auto_invoice = sent.get("sendToAutoinvoice", file.send_to_auto_invoice)
    return Answer(204)


def change_key(call: Call, register: str, dimension: str, member: str, shape: str) -> Row:
    """Rename a record's key by its internal id (changeCustomerCd, changeInventoryNbr, changeProjectId)."""
    company = call.company
    row = company.register(register).find(call.number("internalId"))
    if row is None:
        raise not_found("The record")
    key = call.update(shape).get(member, "")
    if not key:
        raise rule_broken(f"{member} cannot be empty.")
    company.check_length(dimension, key, member)
    other = company.register(register).get(key)
    if other is not None and other is not row:
        raise rule_broken(f"The key '{key}' is already used by another record.")
    company.register(register).rename(row, key)
    company.touch(row)
    return row
