"""Projects and their tasks. Tasks are rows of their own, in the project's order."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from simulators.visma_net import blocks
from simulators.visma_net.answers import (
    Answer,
    action_result,
    changed,
    created,
    entry_refused,
    not_found,
    not_in_system,
    rule_broken,
)
from simulators.visma_net.call import Call, Routes
from simulators.visma_net.documents import ZERO
from simulators.visma_net.paging import by_times, page
from simulators.visma_net.state import Company, Row, day

_MODULES = ("Gl", "Ap", "Ar", "So", "Po", "Ea", "Ta", "In", "Ca", "Cr")
EVERYWHERE = {f"visibleIn{module}": True for module in _MODULES}


def _date(sent: dict[str, Any], name: str) -> str | None:
    value: datetime | None = sent.get(name)
    return None if value is None else day(value.date())


def _status(body: dict[str, Any], sent: dict[str, Any]) -> None:
    """``hold`` true is the status Planned; taking the hold off a planned project activates it."""
    if "hold" in sent:
        body["hold"] = sent["hold"]
        if sent["hold"]:
            body["status"] = "Planned"
        elif body["status"] == "Planned":
            body["status"] = "Active"
    if "status" in sent and not (sent.get("hold") and sent["status"] == "Active"):
        body["status"] = sent["status"]
        if sent["status"] == "Active":
            body["hold"] = False


def _fill(company: Company, body: dict[str, Any], sent: dict[str, Any]) -> None:
    if sent.get("customer"):
        customer = company.register("customer").get(sent["customer"])
        if customer is None:
            raise not_in_system("CustomerID", sent["customer"])
        body["customer"] = customer
    body.update({name: sent[name] for name in ("description", "billingPeriod") if name in sent})
    for name in ("startDate", "endDate"):
        if name in sent:
            body[name] = _date(sent, name)
    if sent.get("branch"):
        body["branch"] = blocks.branch(company, sent["branch"])
    if "visibility" in sent:
        body["visibility"] = {**body["visibility"], **sent["visibility"]}
    _status(body, sent)
    if not body["description"]:
        raise entry_refused("'Description' cannot be empty.", "saving project")
    if not body["startDate"]:
        raise entry_refused("'Start date' cannot be empty.", "saving project")


def new_project(company: Company, sent: dict[str, Any], *, template: bool = False) -> Row:
    """Create a project (or a template); a template named in ``template`` brings its tasks and settings."""
    number = str(sent.get("projectID") or "")
    key = company.dimensions["PROJECT"]
    if not number:
        if not key.auto_number or key.series is None:
            raise entry_refused("'Project ID' cannot be empty.", "saving project")
        number = company.take_number(key.series)
    company.check_length("PROJECT", number, "projectID")
    if company.register("project").get(number) is not None:
        raise entry_refused(f"The project '{number}' already exists.", "saving project")
    pattern = _template(company, sent)
    body: dict[str, Any] = {
        "customer": None,
        "hold": True,
        "status": "Planned",
        "template": pattern,
        "description": "",
        "startDate": None,
        "endDate": None,
        "billingPeriod": pattern.body["billingPeriod"] if pattern else "OnDemand",
        "branch": blocks.branch(company, blocks.main_branch(company)),
        "visibility": dict(pattern.body["visibility"] if pattern else EVERYWHERE),
        "publicId": str(uuid.uuid4()),
        "systemTemplate": template,
        "tasks": [],
    }
    _fill(company, body, sent)
    _check_tasks(company, sent.get("tasks", []))
    row = company.new_row("project", number, body, note=sent.get("note", ""))
    if pattern is not None:
        for task in pattern.body["tasks"]:
            copied = ("description", "status", "visibility", "branch")
            _add_task(company, row, task.key, {name: task.body[name] for name in copied})
    _put_tasks(company, row, sent.get("tasks", []))
    return row


def _template(company: Company, sent: dict[str, Any]) -> Row | None:
    wanted = sent.get("template")
    if not wanted:
        return None
    found = company.register("project").get(wanted)
    if found is None or not found.body["systemTemplate"]:
        raise not_in_system("TemplateID", wanted)
    return found


def change_project(company: Company, row: Row, sent: dict[str, Any]) -> None:
    """Puts what was sent over a project and its tasks, or refuses it whole."""
    body = {**row.body}
    _fill(company, body, sent)
    _check_tasks(company, sent.get("tasks", []))
    row.body = body
    row.note = sent.get("note", row.note)
    _put_tasks(company, row, sent.get("tasks", []))
    company.touch(row)


def _check_tasks(company: Company, tasks: list[dict[str, Any]]) -> None:
    for sent in tasks:
        if not sent.get("taskId"):
            raise entry_refused("'Project task ID' cannot be empty.", "saving project")
        company.check_length("PROTASK", sent["taskId"], "taskId")


def _put_tasks(company: Company, project: Row, tasks: list[dict[str, Any]]) -> None:
    for sent in tasks:
        found = task_of(project, sent["taskId"])
        if sent.get("operation") == "Delete":
            if found is not None:
                project.body["tasks"].remove(found)
                company.register("task").remove(found)
        elif found is not None:
            _change_task(company, found, sent)
        else:
            _change_task(company, _add_task(company, project, sent["taskId"], {}), sent)


def _add_task(company: Company, project: Row, task_id: str, values: dict[str, Any]) -> Row:
    body = {
        "description": "",
        "status": "Planned",
        "plannedStart": None,
        "plannedEnd": None,
        "startDate": project.body["startDate"],
        "endDate": None,
        "branch": project.body["branch"],
        "visibility": dict(EVERYWHERE),
        "project": project,
        **values,
    }
    # Task ids are unique per project only, so the register's key carries the project.
    row = company.new_row("task", f"{project.internal_id}/{task_id}", body)
    row.key = task_id
    project.body["tasks"].append(row)
    return row


def _change_task(company: Company, row: Row, sent: dict[str, Any]) -> None:
    for name in ("description", "status"):
        if name in sent:
            row.body[name] = sent[name]
    for name in ("plannedStart", "plannedEnd", "startDate"):
        if name in sent:
            row.body[name] = _date(sent, name)
    if "visibility" in sent:
        row.body["visibility"] = {**row.body["visibility"], **sent["visibility"]}
    company.touch(row)


def task_of(project: Row, task_id: str) -> Row | None:
    """A task of a project by its id, in any letters."""
    for task in project.body["tasks"]:
        if task.key.casefold() == task_id.casefold():
            found: Row = task
            return found
    return None


def render_task(row: Row) -> dict[str, Any]:
    """A task inside its project."""
    return {
        "taskId": row.key,
        **{name: value for name, value in row.body.items() if name != "project"},
        "restrictEmployees": False,
        "timeStamp": row.etag,
        "employees": [],
        "attributes": [],
    }


def render_extended_task(company: Company, row: Row) -> dict[str, Any]:
    """A task as its own resource."""
    return {
        **render_task(row),
        "internalId": row.internal_id,
        "projectInternalId": row.body["project"].internal_id,
        "lastModifiedDateTime": company.shown(row.modified),
        "createdDateTime": company.shown(row.created),
    }


def _customer(row: Row | None) -> dict[str, Any] | None:
    return None if row is None else {"number": row.key, "name": row.body["name"]}


def render_basic(company: Company, row: Row) -> dict[str, Any]:
    """The project as the short list shows it."""
    body = row.body
    return {
        "internalID": row.internal_id,
        "projectID": row.key,
        "customer": _customer(body["customer"]),
        "hold": body["hold"],
        "status": body["status"],
        "description": body["description"],
        "startDate": body["startDate"],
        "endDate": body["endDate"],
        "autoAllocate": False,
        "automaticReleaseAr": False,
        "publicId": body["publicId"],
        "visibility": body["visibility"],
        "lastModifiedDateTime": company.shown(row.modified),
        "timeStamp": row.etag,
    }


def render_project(company: Company, row: Row) -> dict[str, Any]:
    """The project as it is read singly."""
    body = row.body
    pattern: Row | None = body["template"]
    return {
        **render_basic(company, row),
        "template": pattern
        and {
            "status": pattern.body["status"],
            "number": pattern.key,
            "description": pattern.body["description"],
        },
        **dict.fromkeys(("assets", "liability", "income", "expenses"), ZERO),
        "projectManager": None,
        "restrictEmployees": False,
        "restrictEquipment": False,
        "billingPeriod": body["billingPeriod"],
        "branch": body["branch"],
        "tasks": [render_task(task) for task in body["tasks"]],
        "employees": [],
        "systemTemplate": body["systemTemplate"],
        "attributes": [],
        "note": row.note,
    }


_NON_PROJECT = {"internalID": 0, "projectID": "X", "description": "Non-Project Code.", "status": "Active"}


def _rows(call: Call) -> list[Row]:
    company = call.company
    rows = by_times(call, company.register("project"), lambda row: row.modified, lambda row: row.created)
    templates = bool(call.flag("systemTemplate"))
    kept = [row for row in rows if row.body["systemTemplate"] is templates]
    status, on_hold, branch = call.text("status"), call.flag("onHold"), call.text("branch")
    if status:
        kept = [row for row in kept if row.body["status"] == status]
    if on_hold is not None:
        kept = [row for row in kept if row.body["hold"] is on_hold]
    if branch:
        kept = [row for row in kept if row.body["branch"]["number"] == branch]
    public = call.text("publicId")
    if public:
        kept = [row for row in kept if row.body["publicId"] == public.lower()]
    return kept


def _list(call: Call) -> Answer:
    company = call.company
    if call.flag("nonProject"):
        return Answer(200, page(call, [_NON_PROJECT], dict))
    return Answer(200, page(call, _rows(call), lambda row: render_project(company, row)))


def _basic(call: Call) -> Answer:
    company = call.company
    rows = _rows(call)
    number = call.text("projectId")
    if number:
        rows = [row for row in rows if row.key.casefold() == number.casefold()]
    return Answer(200, page(call, rows, lambda row: render_basic(company, row)))


def _by_path(call: Call) -> Row:
    register = call.company.register("project")
    if "internalId" in call.params:
        row = register.find(call.number("internalId"))
    else:
        row = register.get(call.params["projectId"])
    if row is None:
        raise not_found("The project")
    return row


def _get(call: Call) -> Answer:
    row = _by_path(call)
    return Answer(200, render_project(call.company, row), {"ETag": f'"{row.etag}"'})


def _location(call: Call, row: Row) -> str:
    if call.company.switches.location_internal_id:
        return call.location(f"/v1/project/internal/{row.internal_id}")
    return call.location(f"/v1/project/{row.key}")


def _post(call: Call) -> Answer:
    row = new_project(call.company, call.update("ProjectUpdateDto"))
    return created(_location(call, row), row.etag)


def _put(call: Call) -> Answer:
    row = _by_path(call)
    call.check_version(row.etag)
    change_project(call.company, row, call.update("ProjectUpdateDto"))
    return changed(_location(call, row), row.etag)


def _rename(call: Call) -> Answer:
    found = call.company.register("project").find(call.number("internalId"))
    if found is not None:
        call.check_version(found.etag)
    row = blocks.change_key(call, "project", "PROJECT", "projectId", "ChangeProjectIdActionDto")
    answer = action_result()
    answer.headers["ETag"] = f'"{row.etag}"'
    return answer


def _tasks(call: Call) -> Answer:
    company = call.company
    rows = by_times(call, company.register("task"), lambda row: row.modified, lambda row: row.created)
    project, task_id, status = call.text("projectId"), call.text("taskCd"), call.text("status")
    internal = call.whole("projectInternalId")
    kept = [
        row
        for row in rows
        if (project is None or row.body["project"].key.casefold() == project.casefold())
        and (internal is None or row.body["project"].internal_id == internal)
        and (task_id is None or row.key.casefold() == task_id.casefold())
        and (status is None or row.body["status"] == status)
    ]
    return Answer(200, page(call, kept, lambda row: render_extended_task(company, row), counted=False))


def _task_row(call: Call) -> Row:
    row = call.company.register("task").find(call.number("internalId"))
    if row is None:
        raise not_found("The task")
    return row


def _task(call: Call) -> Answer:
    row = _task_row(call)
    return Answer(200, render_extended_task(call.company, row), {"ETag": f'"{row.etag}"'})


def _post_task(call: Call) -> Answer:
    company = call.company
    project = _by_path(call)  # for POST the id is the project's
    sent = call.update("ProjectTaskUpdateDto")
    _check_tasks(company, [sent])
    if task_of(project, sent["taskId"]) is not None:
        raise rule_broken(f"The task '{sent['taskId']}' already exists on the project.")
    row = _add_task(company, project, sent["taskId"], {})
    _change_task(company, row, sent)
    company.touch(project)
    return created(call.location(f"/v1/projecttask/{row.internal_id}"), row.etag)


def _put_task(call: Call) -> Answer:
    row = _task_row(call)
    call.check_version(row.etag)
    _change_task(call.company, row, call.update("ProjectTaskUpdateDto"))
    call.company.touch(row.body["project"])
    return changed(call.location(f"/v1/projecttask/{row.internal_id}"), row.etag)


def add_routes(routes: Routes) -> None:
    """Projects and their tasks."""
    routes.add("GET", "/v1/project", _list)
    routes.add("POST", "/v1/project", _post)
    routes.add("POST", "/v1/project/action/changeProjectId/{internalId}", _rename)
    routes.add("GET", "/v1/project/internal/{internalId}", _get)
    routes.add("PUT", "/v1/project/internal/{internalId}", _put)
    routes.add("GET", "/v1/project/tasks", _tasks)
    routes.add("GET", "/v1/project/{projectId}", _get)
    routes.add("PUT", "/v1/project/{projectId}", _put)
    routes.add("GET", "/v1/projectbasic", _basic)
    routes.add("GET", "/v1/projecttask", _tasks)
    routes.add("GET", "/v1/projecttask/{internalId}", _task)
    routes.add("POST", "/v1/projecttask/{internalId}", _post_task)
    routes.add("PUT", "/v1/projecttask/{internalId}", _put_task)
