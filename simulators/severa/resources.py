"""The ordinary operations as data: which registers there are, with which verbs, scopes, paging and filters."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulators.severa.lists import Filter, Paging

_ACTIVE = {"active": Filter("bool", "isActive")}
_SINCE = {"changedSince": Filter("since")}
_NAMED = {"textToSearch": Filter("search", "name")}
_CODED = {"textToSearch": Filter("search", "name,code"), "code": Filter("text", "code")}
_PROJECTS = {
    "customerGuids": Filter("in", "customer"),
    "projectStatusTypeGuids": Filter("in", "projectStatusType"),
    "salesStatusTypeGuids": Filter("in", "salesStatusType"),
    "salesPersonGuids": Filter("in", "salesPerson"),
    "projectOwnerGuids": Filter("in", "projectOwner"),
    "businessUnitGuids": Filter("in", "businessUnit"),
    "isClosed": Filter("bool", "isClosed"),
    "numbers": Filter("numbers", "number"),
    "currencyGuid": Filter("in", "currency"),
    "currencyGuids": Filter("in", "currency"),
}
_FEES = {
    "productType": Filter("nocase", "productType"),
    "isBillable": Filter("bool", "isBillable"),
    "isBilled": Filter("billed"),
}
_EXPENSES = {"isBillable": Filter("bool", "isBillable"), "isBilled": Filter("billed")}


@dataclass(frozen=True)
class Resource:
    """A register with its collection at `/{register}` and its records at `/{register}/{guid}`.

    `area` is the scope's first half. `verbs` are L list, G get one, C create, U patch, D delete.
    `array` says that POST answers a list; `one` that PATCH answers a single object.
    """

    register: str
    area: str
    verbs: str
    paging: Paging = "token"
    filters: dict[str, Filter] = field(default_factory=dict)
    array: bool = False
    one: bool = False


@dataclass(frozen=True)
class Sublist:
    """A list below a record: the register `register` where the field `link` is the parent's guid."""

    template: str
    parent: str
    register: str
    link: str
    area: str
    paging: Paging = "token"
    filters: dict[str, Filter] = field(default_factory=dict)


RESOURCES = (
    Resource(
        "customers",
        "customers",
        "LGCUD",
        filters={
            **_SINCE,
            "isActive": Filter("bool", "isActive"),
            "isInternal": Filter("bool", "isInternal"),
            "numbers": Filter("numbers", "number"),
            "customerOwnerGuids": Filter("in", "owner"),
            "emailAddresses": Filter("nocase", "email"),
            "customerNames": Filter("nocase", "name"),
            "vatNumber": Filter("text", "vatNumber"),
            "kvkNumber": Filter("text", "kvkNumber"),
        },
    ),
    Resource("addresses", "customers", "LGUD", "row", _SINCE),
    Resource(
        "contactpersons",
        "customers",
        "LGCUD",
        "row",
        {**_ACTIVE, **_SINCE, "textToSearch": Filter("search", "firstName,lastName")},
    ),
    Resource(
        "contactcommunications",
        "customers",
        "LGCUD",
        "row",
        {**_SINCE, "textToSearch": Filter("search", "value")},
        one=True,
    ),
    Resource("communicationtypes", "settings", "LGC", "row", {**_ACTIVE, **_NAMED}),
    Resource(
        "products",
        "settings",
        "LGCUD",
        filters={
            **_SINCE,
            "type": Filter("nocase", "type"),
            "isActive": Filter("bool", "isActive"),
            "code": Filter("text", "code"),
        },
    ),
    Resource("productcategories", "settings", "LGCUD", "row_all", {**_ACTIVE, **_SINCE, **_NAMED}),
    Resource(
        "worktypes",
        "settings",
        "LGCUD",
        "row",
        {**_ACTIVE, **_SINCE, **_CODED, "productive": Filter("bool", "isProductive")},
    ),
    Resource("travelexpensetypes", "settings", "LGCUD", "row_all", {**_ACTIVE, **_SINCE, **_CODED}),
    Resource("vatrates", "settings", "LGCUD", "none", {**_ACTIVE, "countryGuid": Filter("country")}),
    Resource("currencies", "settings", "LGU", "row", {**_ACTIVE, **_NAMED}),
    Resource(
        "businessunits",
        "settings",
        "LGCUD",
        "row",
        {
            **_ACTIVE,
            **_SINCE,
            **_CODED,
            "name": Filter("text", "name"),
            "companyGuid": Filter("unit_company"),
        },
    ),
    Resource(
        "costcenters",
        "settings",
        "LGCUD",
        "row",
        {
            **_ACTIVE,
            **_SINCE,
            **_NAMED,
            "identifier": Filter("text", "identifier"),
            "name": Filter("text", "name"),
        },
    ),
    Resource("salesaccounts", "settings", "LGCUD", "row", {**_ACTIVE, **_NAMED}),
    Resource("costaccounts", "settings", "LGCUD", "row", {**_ACTIVE, **_NAMED}),
    Resource("bankaccounts", "settings", "LG", "row", {**_ACTIVE, "businessUnitGuid": Filter("bank_unit")}),
    Resource(
        "users",
        "users",
        "LGCU",
        filters={
            **_SINCE,
            "isActive": Filter("bool", "isActive"),
            "businessUnitGuids": Filter("in", "businessUnit"),
            "code": Filter("text", "code"),
            "email": Filter("nocase", "email"),
        },
    ),
    Resource("projectstatustypes", "settings", "LGCUD", "row", {**_ACTIVE, **_NAMED}),
    Resource(
        "salesstatustypes",
        "settings",
        "LGCUD",
        "row",
        {**_ACTIVE, **_NAMED, "salesState": Filter("sales_state")},
    ),
    Resource(
        "phases",
        "projects",
        "LGCUD",
        filters={**_SINCE, "code": Filter("text", "code"), "projectGuids": Filter("in", "project")},
    ),
    Resource("projectfees", "fees", "LGCUD", filters=_SINCE, array=True),
    Resource("projecttravelexpenses", "travels", "LGCUD", filters=_SINCE),
    Resource(
        "workhours",
        "hours",
        "LGCUD",
        filters={
            **_SINCE,
            "eventDateStart": Filter("from", "eventDate"),
            "eventDateEnd": Filter("to", "eventDate"),
        },
    ),
    Resource("flatrates", "fees", "LGCUD", filters={**_SINCE, "invoiceGuid": Filter("in", "invoiceGuid")}),
    Resource("invoicestatuses", "settings", "LGCUD", "row", {**_ACTIVE, **_NAMED}),
    Resource(
        "invoices",
        "invoices",
        "LGUD",
        filters={
            **_SINCE,
            "invoiceStatusGuids": Filter("in", "status"),
            "projectGuids": Filter("in", "projects"),
            "customerGuids": Filter("in", "customer"),
            "referenceNumbers": Filter("in", "referenceNumber"),
            "numbers": Filter("numbers", "number"),
            "startDate": Filter("from", "date"),
            "endDate": Filter("to", "date"),
            "paymentDateStart": Filter("from", "paymentDate"),
            "projectOwnerGuids": Filter("project_owner"),
            "projectBusinessUnitGuids": Filter("project_unit"),
            "minimumTotalExcludingTax": Filter("least_total"),
            "maximumTotalExcludingTax": Filter("most_total"),
        },
    ),
    Resource("invoicerows", "invoices", "LGUD", filters=_SINCE),
    Resource("projectbillingcustomers", "settings", "GCUD"),
)

PROJECT_FILTERS = {
    **_PROJECTS,
    **_SINCE,
    "projectGuids": Filter("guids"),
    "internal": Filter("bool", "isInternal"),
    "salesStatusChangedSince": Filter("sales_status_changed"),
    "projectStatusChangedSince": Filter("project_status_changed"),
}
SALES_CASE_FILTERS = {**_PROJECTS, "projectGuids": Filter("guids")}

_REIMBURSED: tuple[tuple[str, Paging], ...] = (
    ("reimbursedprojectfees", "token"),
    ("reimbursedprojecttravelexpenses", "row"),
    ("reimbursedworkhours", "row"),
)

SUBLISTS = (
    Sublist("/customers/{guid}/addresses", "customers", "addresses", "customer", "customers", "row"),
    Sublist(
        "/customers/{guid}/contactpersons",
        "customers",
        "contactpersons",
        "customer",
        "customers",
        "row",
        {**_ACTIVE, "textToSearch": Filter("search", "firstName,lastName")},
    ),
    Sublist(
        "/contacts/{guid}/contactcommunications",
        "contactpersons",
        "contactcommunications",
        "contact",
        "customers",
        "none",
    ),
    Sublist("/customers/{guid}/projects", "customers", "projects", "customer", "projects", filters=_PROJECTS),
    Sublist("/projects/{guid}/projectfees", "projects", "projectfees", "project", "fees", filters=_FEES),
    Sublist(
        "/projects/{guid}/projecttravelexpenses",
        "projects",
        "projecttravelexpenses",
        "project",
        "travels",
        filters=_EXPENSES,
    ),
    Sublist("/projects/{guid}/workhours", "projects", "workhours", "project", "hours"),
    Sublist(
        "/projects/{guid}/projectbillingcustomers",
        "projects",
        "projectbillingcustomers",
        "project",
        "projects",
        "none",
    ),
    Sublist("/projects/{guid}/files", "projects", "projectfiles", "projectGuid", "files", "row"),
    Sublist("/invoices/{guid}/files", "invoices", "invoicefiles", "invoiceGuid", "files", "row"),
    Sublist(
        "/invoices/{guid}/invoicerows",
        "invoices",
        "invoicerows",
        "invoiceGuid",
        "invoices",
        filters={"rowType": Filter("nocase", "rowType")},
    ),
    *(
        Sublist(f"/{parent}/{{guid}}/{register}", parent, register, link, "invoices", filters=filters)
        for register, filters in (
            ("projectfees", {"productType": Filter("nocase", "productType")}),
            ("workhours", {}),
            ("projecttravelexpenses", {}),
        )
        for parent, link in (("invoices", "invoice"), ("invoicerows", "invoiceRowGuid"))
    ),
    *(
        Sublist(f"/{parent}/{{guid}}/{register}", parent, register, link, "invoices", paging)
        for register, paging in _REIMBURSED
        for parent, link in (("invoices", "invoiceGuid"), ("invoicerows", "invoiceRowGuid"))
    ),
)
