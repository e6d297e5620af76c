"""The catalogue of Severa's registers as data: paths, paging, filters and scopes.

The client makes no request whose shape is not here; the contract test holds every entry against the vendor's document,
and the documentation is made from it. Source: the vendor's OpenAPI document; what it leaves open
stands in docs/vendors/severa.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Paging = Literal["token", "rows", "none", "single"]
"""token: header NextPageToken; rows: firstRow and rowCount; none: one answer with all; single: one object, no list."""

CheckKind = Literal["equal", "text", "from", "to", "unchecked"]


@dataclass(frozen=True, slots=True)
class Check:
    """How a filter can be seen to have worked: ``members`` are paths in a row (``projects[].guid``), any of which must
    agree. A row without the member cannot be checked and passes."""

    kind: CheckKind
    members: tuple[str, ...] = ()


def same(*members: str) -> Check:
    """The member equals the filter's value, or one of its values."""
    return Check("equal", members)


def text(*members: str) -> Check:
    """As ``same`` for text: the server may also find what merely contains it; those rows are left out in silence."""
    return Check("text", members)


UNCHECKED = Check("unchecked")
"""The rows do not show what was asked for. ``changedSince`` belongs here: a customer comes back for a changed address."""


@dataclass(frozen=True, slots=True)
class Register:
    """One register. ``list_path`` may hold ``{parent}``; ``item_path`` holds ``{guid}``; None = the verb does not exist
    or is not used by the bridge. ``change_filter`` is the query name for "changed since", None = always read whole.
    ``shows``: members of which every record has at least one, by the vendor's document; an object without is no record.
    ``searched``: the single read is a search by these members that answers an array, none found is an empty one."""

    name: str
    paging: Paging
    scope: str
    list_path: str | None
    item_path: str | None = None
    create_path: str | None = None
    patches: bool = False
    change_filter: str | None = None
    change_options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    filters: Mapping[str, Check] = field(default_factory=dict)
    shows: tuple[str, ...] = ("guid",)
    searched: tuple[str, ...] = ()

    @property
    def write_scope(self) -> str:
        """The scope for POST and PATCH."""
        return self.scope.replace(":read", ":write")

    @property
    def needs_parent(self) -> bool:
        """Whether rows are read below one record (``invoices/{guid}/invoicerows``)."""
        return "{parent}" in (self.list_path or self.create_path or "")


_ACTIVE = {"active": same("isActive"), "textToSearch": UNCHECKED}
_CHANGED = {"changedSince": UNCHECKED}
_PROJECT_OF_CUSTOMER = {
    "projectGuids": same("guid"),
    "projectStatusTypeGuids": same("projectStatus.projectStatusTypeGuid"),
    "salesStatusTypeGuids": same("salesStatus.salesStatusTypeGuid"),
    "isClosed": same("isClosed"),
    "numbers": same("number"),
}
_PROJECT = {**_PROJECT_OF_CUSTOMER, "customerGuids": same("customer.guid")}


def _own(
    name: str,
    paging: Paging,
    scope: str,
    *,
    creates: bool = False,
    patches: bool = False,
    item: bool = True,
    changed: bool = False,
    filters: Mapping[str, Check] | None = None,
    options: Mapping[str, tuple[str, ...]] | None = None,
    searched: tuple[str, ...] = (),
) -> Register:
    path = f"/v1/{name}"
    return Register(
        name=name,
        paging=paging,
        scope=scope,
        list_path=path,
        item_path=f"{path}/{{guid}}" if item else None,
        create_path=path if creates else None,
        patches=patches,
        change_filter="changedSince" if changed else None,
        change_options=options or {},
        filters={**(filters or {}), **(_CHANGED if changed else {})},
        searched=searched,
    )


def _below(
    name: str,
    paging: Paging,
    scope: str,
    *,
    item: str | None = None,
    creates: bool = False,
    patches: bool = False,
    filters: Mapping[str, Check] | None = None,
) -> Register:
    owner, rows = name.split("/")
    path = f"/v1/{owner}/{{parent}}/{rows}"
    return Register(
        name=name,
        paging=paging,
        scope=scope,
        list_path=path,
        item_path=f"/v1/{item}/{{guid}}" if item else None,
        create_path=path if creates else None,
        patches=patches,
        filters=filters or {},
    )


def _single(name: str, scope: str, *shows: str) -> Register:
    return Register(name=name, paging="single", scope=scope, list_path=f"/v1/{name}", shows=shows)


_ALL = (
    # customers, their addresses and people
    _own(
        "customers",
        "token",
        "customers:read",
        creates=True,
        patches=True,
        changed=True,
        # Without these a changed address or contact does not bring its customer back (docs/vendors/severa.md S19).
        options={"changedSinceOptions": ("Addresses", "Contacts")},
        filters={
            "isActive": same("isActive"),
            "isInternal": same("isInternal"),
            "numbers": same("number"),
            "customerNames": text("name"),
            "vatNumber": text("vatNumber"),
            "emailAddresses": UNCHECKED,
            "customerOwnerGuids": same("owner.guid"),
            "changedSinceOptions": UNCHECKED,
        },
    ),
    _own("addresses", "rows", "customers:read", patches=True, changed=True),
    _below("customers/addresses", "rows", "customers:read", item="addresses", creates=True, patches=True),
    _own(
        "contactpersons",
        "rows",
        "customers:read",
        creates=True,
        patches=True,
        changed=True,
        filters=_ACTIVE,
    ),
    _below(
        "customers/contactpersons",
        "rows",
        "customers:read",
        item="contactpersons",
        patches=True,
        filters=_ACTIVE,
    ),
    _own(
        "contactcommunications",
        "rows",
        "customers:read",
        creates=True,
        patches=True,
        changed=True,
        filters={"active": UNCHECKED, "textToSearch": UNCHECKED},
    ),
    _below(
        "contacts/contactcommunications",
        "none",
        "customers:read",
        item="contactcommunications",
        patches=True,
        filters={"active": UNCHECKED},
    ),
    _own("communicationtypes", "rows", "settings:read", creates=True, filters=_ACTIVE),
    # products, work types, travel expenses
    _own(
        "products",
        "token",
        "settings:read",
        creates=True,
        patches=True,
        changed=True,
        filters={"type": same("type"), "isActive": same("isActive"), "code": text("code")},
    ),
    _own("productcategories", "rows", "settings:read", changed=True, filters=_ACTIVE),
    _own(
        "worktypes",
        "rows",
        "settings:read",
        creates=True,
        patches=True,
        changed=True,
        filters={**_ACTIVE, "productive": same("isProductive"), "code": text("code")},
    ),
    _own(
        "travelexpensetypes",
        "rows",
        "settings:read",
        creates=True,
        patches=True,
        changed=True,
        filters={**_ACTIVE, "code": text("code")},
    ),
    # projects
    _own(
        "projects",
        "token",
        "projects:read",
        changed=True,
        filters={
            **_PROJECT,
            "internal": same("isInternal"),
            "salesStatusChangedSince": UNCHECKED,
            "projectStatusChangedSince": UNCHECKED,
        },
    ),
    Register(
        "salescases",
        "token",
        "projects:read",
        "/v1/salescases",
        item_path="/v1/projects/{guid}",
        filters=_PROJECT,
    ),
    _below("customers/projects", "token", "projects:read", item="projects", filters=_PROJECT_OF_CUSTOMER),
    _own("projectstatustypes", "rows", "settings:read", filters=_ACTIVE),
    _own("salesstatustypes", "rows", "settings:read", filters={**_ACTIVE, "salesState": same("salesState")}),
    _below("projects/projectbillingcustomers", "none", "projects:read"),
    _own(
        "phases",
        "token",
        "projects:read",
        changed=True,
        filters={"code": text("code"), "projectGuids": same("project.guid")},
    ),
    # fees and costs
    _own("projectfees", "token", "fees:read", creates=True, patches=True, changed=True),
    _below(
        "projects/projectfees",
        "token",
        "fees:read",
        item="projectfees",
        patches=True,
        filters={
            "productType": same("productType"),
            "isBillable": same("isBillable"),
            "isBilled": UNCHECKED,
            "includeRecurringRules": UNCHECKED,
        },
    ),
    Register(
        "deletedprojectfees",
        "token",
        "fees:read",
        "/v1/deletedprojectfees",
        change_filter="deletedSince",
        filters={"projectGuids": same("project.guid"), "deletedSince": UNCHECKED},
    ),
    # The single read of a flat rate answers an array (docs/vendors/severa.md S26).
    _own(
        "flatrates",
        "token",
        "fees:read",
        changed=True,
        filters={"invoiceGuid": UNCHECKED},
        searched=("guid",),
    ),
    _own("projecttravelexpenses", "token", "travels:read", changed=True),
    # invoices
    _own(
        "invoices",
        "token",
        "invoices:read",
        patches=True,
        changed=True,
        filters={
            "invoiceStatusGuids": same("status.guid"),
            "customerGuids": same("customer.guid", "billingCustomer.guid"),
            "projectGuids": same("projects[].guid"),
            "numbers": same("number"),
            "referenceNumbers": text("referenceNumber"),
            "startDate": Check("from", ("date",)),
            "endDate": Check("to", ("date",)),
            "paymentDateStart": Check("from", ("paymentDate",)),
        },
    ),
    _own("invoicerows", "token", "invoices:read", patches=True, changed=True),
    _below(
        "invoices/invoicerows",
        "token",
        "invoices:read",
        item="invoicerows",
        patches=True,
        filters={"rowType": same("rowType")},
    ),
    _below("invoices/projectfees", "token", "invoices:read", filters={"productType": same("productType")}),
    _below("invoices/workhours", "token", "invoices:read"),
    _below("invoices/projecttravelexpenses", "token", "invoices:read", filters={"expenseClass": UNCHECKED}),
    _below("invoices/reimbursedprojectfees", "token", "invoices:read"),
    _below("invoices/reimbursedworkhours", "rows", "invoices:read"),
    _below("invoices/reimbursedprojecttravelexpenses", "rows", "invoices:read"),
    _own("invoicestatuses", "rows", "settings:read", filters=_ACTIVE),
    # files
    _below("invoices/files", "rows", "files:read", item="invoicefiles"),
    _below("projects/files", "rows", "files:read", item="projectfiles", creates=True),
    Register("files", "none", "files:read", None, item_path="/v1/files/{guid}"),
    # the organisation and its reference registers
    _single("organizationdetails", "organization:read", "guid"),
    _single(
        "organizationsettings",
        "organization:read",
        "quickSearchSetting",
        "projectNameDisplaySetting",
        "displayProjectNumber",
        "nextProjectNumber",
        "uniqueIdentifierForProductsAndWorktypes",
    ),
    _single("integrations/vismafinancials/companyinformation", "organization:read", "id"),
    _own(
        "businessunits",
        "rows",
        "settings:read",
        changed=True,
        filters={
            **_ACTIVE,
            "companyGuid": same("companyGuid"),
            "code": text("code"),
            "name": text("name"),
        },
    ),
    _own("costcenters", "rows", "settings:read", changed=True, filters=_ACTIVE),
    _own("salesaccounts", "rows", "settings:read", filters=_ACTIVE),
    _own("costaccounts", "rows", "settings:read", filters=_ACTIVE),
    _own("bankaccounts", "rows", "settings:read", filters=_ACTIVE),
    _own(
        "vatrates",
        "none",
        "settings:read",
        filters={"active": same("isActive"), "countryGuid": same("countryGuid")},
    ),
    _own("currencies", "rows", "settings:read", filters=_ACTIVE),
    # A country is also read by its two letters or its name; those answer a list (docs/vendors/severa.md S25).
    _own(
        "localization/countries",
        "none",
        "settings:read",
        searched=("guid", "code2", "code3", "name", "englishName"),
    ),
    _own(
        "localization/languages",
        "none",
        "settings:read",
        filters={"isInvoiceLanguage": same("isInvoiceLanguage")},
    ),
    _own("localization/timezones", "none", "settings:read"),
    _own(
        "users",
        "token",
        "users:read",
        changed=True,
        filters={"isActive": same("isActive"), "code": text("code"), "email": UNCHECKED},
    ),
)
REGISTERS: Mapping[str, Register] = {register.name: register for register in _ALL}

OF_PARENT: Mapping[str, str] = {
    "addresses": "customers/addresses",
    "contactpersons": "customers/contactpersons",
    "contactcommunications": "contacts/contactcommunications",
    "invoicerows": "invoices/invoicerows",
}
"""What a plain register's name means when a parent is given."""

DOWNLOADS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "files": ("/v1/files/{guid}/filedata", {}),
    "invoices/pdf": ("/v1/invoices/{guid}/pdf", {"invoiceType": "Invoice", "pdfGetOptions": "All"}),
}
"""Path and query of what is read as bytes; both need ``files:read``."""

NEEDED_SCOPES: frozenset[str] = frozenset(
    {
        "customers:read",
        "customers:write",
        "projects:read",
        "fees:read",
        "fees:write",
        "travels:read",
        "invoices:read",
        "invoices:write",
        "settings:read",
        "settings:write",
        "organization:read",
        "users:read",
        "files:read",
    }
)
"""Without one of these a transfer cannot work (R-SET-2)."""

OPTIONAL_SCOPES: frozenset[str] = frozenset({"files:write"})
"""Asked for as well: project files of imported costs (R-CST-4). Credentials without them still work."""

PATCH_OPERATION = "Replace"
"""The only operation the vendor carries out; the document spells operations with a capital."""

WIRE_PATHS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    # Open question: the input model for PATCH of an invoice is not published. These are the output model's paths;
    # where two forms are possible the server's answers tell which one it takes (``spelling.Spelling``).
    "invoices": {
        "/status/guid": ("/status/guid", "/status{guid}"),
        "/number": ("/number",),
        "/referenceNumber": ("/referenceNumber",),
        "/paymentDate": ("/paymentDate",),
    },
}
"""How a path is written on the wire, where that is not simply the path itself: the possible forms, likeliest first.
``/status{guid}`` means ``/status`` with the object ``{"guid": value}``."""
