"""Files of projects and invoices, and the invoice as a PDF."""

from __future__ import annotations

import base64
from email.message import Message
from typing import Any

from starlette.responses import Response

from simulators.severa.call import Call, Operation, answer, nothing
from simulators.severa.errors import bad_query, bad_request, not_found
from simulators.severa.fields import lower_keys
from simulators.severa.organisation import API, Organisation
from simulators.severa.registers import Record
from simulators.severa.rendering import render

_TYPES = ("Invoice", "Reminder")
_OPTIONS = ("All", "InvoiceOnly", "AttachmentAndBreakdown")


def add_file(
    org: Organisation,
    register: str,
    owner: str,
    *,
    name: str,
    data: bytes,
    by: str,
    content_type: str = "application/octet-stream",
    description: str | None = None,
    internal: bool = False,
) -> Record:
    """Add a file to a project (`projectfiles`) or an invoice (`invoicefiles`); its data gets a guid of its own."""
    category = "Invoice" if register == "invoicefiles" else "Projects"
    shared = {
        "name": name,
        "description": description,
        "contentType": content_type,
        "isInternal": internal,
    }
    held = org.add("files", {**shared, "category": category, "data": data}, by)
    link = "invoiceGuid" if register == "invoicefiles" else "projectGuid"
    extra = {"sortOrder": 0} if register == "invoicefiles" else {}
    return org.add(register, {**shared, **extra, "fileGuid": held.guid, link: owner}, by)


def _upload(call: Call) -> Response:
    project = call.org.record("projects", call.params["guid"])
    if project is None:
        raise not_found(f"project {call.params['guid']}")
    made = []
    about: dict[str, Any] = {}
    for headers, content in _parts(call):
        kind = headers.get_content_type()
        if kind == "application/json" and headers.get_filename() is None:
            about = lower_keys(Call(call.org, {}, call.query, call.headers, content).json())
            continue
        name = about.get("name") or headers.get_filename()
        if not name:
            raise bad_request("Every file needs a name.")
        made.append(
            add_file(
                call.org,
                "projectfiles",
                project.guid,
                name=str(name),
                data=content,
                by=API,
                content_type=kind,
                description=about.get("description"),
            )
        )
        about = {}
    if not made:
        raise bad_request("The request has no file.")
    shown = [render(call.org, "projectfiles", one) for one in made]
    return answer(shown, 201)


def _parts(call: Call) -> list[tuple[Message, bytes]]:
    outer = _headers(f"Content-Type: {call.headers.get('content-type', '')}")
    boundary = outer.get_boundary()
    if outer.get_content_type() != "multipart/related" or not boundary:
        raise bad_request("The request must be multipart/related with a boundary.")
    pieces = (b"\r\n" + call.body).split(b"\r\n--" + boundary.encode("latin-1"))
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise bad_request("The multipart body has no end.")
    parts = []
    for piece in pieces[1:-1]:
        head, blank, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if not blank:
            raise bad_request("A part of the multipart body has no header.")
        parts.append((_headers(head.decode("utf-8", "replace")), content))
    return parts


def _headers(text: str) -> Message:
    message = Message()
    for line in text.split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            # The vendor's own example quotes the content type.
            message[name.strip()] = value.strip().strip("'")
    return message


def _file(call: Call) -> Response:
    record = _held(call)
    shown = render(call.org, "files", record)
    if call.query.get("includeDataInResponse", "").lower() == "true":
        shown["data"] = base64.b64encode(record.data["data"]).decode()
    return answer(shown)


def _data(call: Call) -> Response:
    record = _held(call)
    return Response(record.data["data"], media_type="application/octet-stream")


def _held(call: Call) -> Record:
    record = call.org.record("files", call.params["guid"])
    if record is None:
        raise not_found(f"file {call.params['guid']}")
    return record


def _of(register: str, call: Call) -> Record:
    record = call.org.record(register, call.params["guid"])
    if record is None:
        raise not_found(f"file {call.params['guid']}")
    return record


def _project_file(call: Call) -> Response:
    return answer(render(call.org, "projectfiles", _of("projectfiles", call)))


def _invoice_file(call: Call) -> Response:
    return answer(render(call.org, "invoicefiles", _of("invoicefiles", call)))


def _delete_project_file(call: Call) -> Response:
    record = _of("projectfiles", call)
    call.org.remove("projectfiles", record.guid)
    call.org.remove("files", record.data["fileGuid"])
    return nothing()


def _pdf(call: Call) -> Response:
    for name, known in (("invoiceType", _TYPES), ("pdfGetOptions", _OPTIONS)):
        sent = call.query.get(name)
        if sent and sent.lower() not in (word.lower() for word in known):
            raise bad_query(name, f"{name} must be one of {', '.join(known)}.")
    invoice = _of("invoices", call)
    number = invoice.data["number"]
    return Response(pdf(f"Faktura {'utkast' if number is None else number}"), media_type="application/pdf")


def pdf(line: str) -> bytes:
    """Give a small but whole PDF of one page with one line of text."""
    text = line.encode("latin-1", "replace").replace(b"\\", b"").replace(b"(", b"").replace(b")", b"")
    stream = b"BT /F1 18 Tf 72 770 Td (" + text + b") Tj ET"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length " + str(len(stream)).encode() + b">>stream\n" + stream + b"\nendstream",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out = b"%PDF-1.4\n"
    offsets = []
    for position, content in enumerate(objects, start=1):
        offsets.append(len(out))
        out += f"{position} 0 obj".encode() + content + b"endobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{offset:010} 00000 n \n".encode() for offset in offsets)
    return out + f"trailer<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n".encode()


OPERATIONS = [
    Operation("POST", "/projects/{guid}/files", ("files:write",), _upload),
    Operation("GET", "/projectfiles/{guid}", ("files:read",), _project_file),
    Operation("DELETE", "/projectfiles/{guid}", ("files:delete",), _delete_project_file),
    Operation("GET", "/invoicefiles/{guid}", ("files:read",), _invoice_file),
    Operation("GET", "/files/{guid}", ("files:read",), _file),
    Operation("GET", "/files/{guid}/filedata", ("files:read",), _data),
    Operation("GET", "/invoices/{guid}/pdf", ("files:read",), _pdf),
]
