"""Inventory items, item classes and posting classes."""

from __future__ import annotations

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
)
from simulators.visma_net.call import Call, Routes
from simulators.visma_net.documents import ZERO
from simulators.visma_net.paging import by_times, page
from simulators.visma_net.state import Company, Row

NON_STOCK = frozenset({"NonStockItem", "LaborItem", "ServiceItem", "ChargeItem", "ExpenseItem"})
SALEABLE = frozenset({"Active", "NoPurchases"})
_PLAIN = ("status", "description", "body", "defaultPrice", "baseUnit", "salesUnit", "purchaseUnit", "kitItem")
_EXPANDABLE = {
    # The flags default to true (docs/vendors/visma-net-erp.md E36); what they add is empty in a firm without stock.
    "expandCrossReference": "crossReferences",
    "expandAttachment": "attachments",
    "expandAttribute": "attributes",
    "expandWarehouseDetail": "warehouseDetails",
    "expandInventoryUnits": "inventoryUnits",
    "expandSupplierDetails": "supplierDetails",
    "expandSalesCategories": "salesCategories",
}


def _class_reference(company: Company, class_id: str) -> dict[str, Any]:
    found = company.item_classes.get(class_id)
    if found is None:
        raise not_in_system("ItemClassID", class_id)
    return {"type": found["type"], "attributes": [], "id": class_id, "description": found["description"]}


def _category_reference(company: Company, category: str) -> dict[str, Any]:
    if category not in company.vat_categories:
        raise not_in_system("TaxCategoryID", category)
    return {"id": category, "description": company.vat_categories[category]["description"]}


def _fill(company: Company, body: dict[str, Any], sent: dict[str, Any]) -> None:
    body.update({name: sent[name] for name in _PLAIN if name in sent})
    for unit in ("baseUnit", "salesUnit", "purchaseUnit"):
        if body[unit] not in company.units:
            raise not_in_system("Unit", str(body[unit]))
    if "vatCode" in sent:
        body["vatCode"] = _category_reference(company, sent["vatCode"])
    if "postingClass" in sent:
        if sent["postingClass"] not in company.posting_classes:
            raise not_in_system("PostClassID", sent["postingClass"])
        description = company.posting_classes[sent["postingClass"]]
        body["postingClass"] = {"id": sent["postingClass"], "description": description}
    for name in ("salesAccount", "expenseAccount"):
        if name in sent:
            if company.register("account").get(sent[name]) is None:
                raise not_in_system("AccountID", sent[name])
            body[name] = sent[name]


def new_item(company: Company, sent: dict[str, Any]) -> Row:
    """Create an item; type, units, posting class and VAT category follow the class unless sent."""
    number = str(sent.get("inventoryNumber") or "")
    key = company.dimensions["INVENTORY"]
    if not number:
        if not key.auto_number or key.series is None:
            raise entry_refused("'Inventory ID' cannot be empty.", "saving item")
        number = company.take_number(key.series)
    company.check_length("INVENTORY", number, "inventoryNumber")
    if company.register("inventory").get(number) is not None:
        raise entry_refused(f"The inventory item '{number}' already exists.", "saving item")
    if not sent.get("itemClass"):
        raise entry_refused("'Item class' cannot be empty.", "saving item")
    item_class = company.item_classes.get(sent["itemClass"])
    reference = _class_reference(company, sent["itemClass"])
    if item_class is None:  # refused just above; this line is for the type checker's sake
        raise not_in_system("ItemClassID", sent["itemClass"])
    kind = sent.get("type", item_class["type"])
    unit = item_class["unit"]
    posting = next(iter(company.posting_classes.items()))
    body: dict[str, Any] = {
        "status": "Active",
        "type": kind,
        "description": "",
        "body": "",
        "itemClass": reference,
        "postingClass": {"id": posting[0], "description": posting[1]},
        "vatCode": _category_reference(company, item_class["vat_category"]),
        "defaultPrice": ZERO,
        "baseUnit": unit,
        "salesUnit": unit,
        "purchaseUnit": unit,
        "stockItem": kind not in NON_STOCK,
        "kitItem": False,
        "salesAccount": item_class["sales_account"],
        "expenseAccount": item_class["expense_account"],
    }
    # The sales unit follows the base unit that was sent, as the entry window does.
    if "baseUnit" in sent:
        body["salesUnit"] = body["purchaseUnit"] = sent["baseUnit"]
    _fill(company, body, sent)
    return company.new_row("inventory", number, body, note=sent.get("note", ""))


def change_item(company: Company, row: Row, sent: dict[str, Any]) -> None:
    """Puts what was sent over an item; another class brings its type along."""
    body = {**row.body}
    if "itemClass" in sent:
        body["itemClass"] = _class_reference(company, sent["itemClass"])
        body["type"] = body["itemClass"]["type"]
    _fill(company, body, sent)
    row.body = body
    row.note = sent.get("note", row.note)
    company.touch(row)


def render_item(company: Company, row: Row, call: Call | None = None) -> dict[str, Any]:
    """The item as the API shows it; ``call`` says what of it is expanded."""
    body = row.body
    shape = {
        "inventoryId": row.internal_id,
        "inventoryNumber": row.key,
        **{name: value for name, value in body.items() if name not in ("salesAccount", "expenseAccount")},
        **dict.fromkeys(("pendingCost", "currentCost", "lastCost", "recommendedPrice"), 0.0),
        "attributes": [],
        "crossReferences": [],
        "warehouseDetails": [],
        "inventoryUnits": [],
        "supplierDetails": [],
        "salesCategories": [],
        "attachments": [file.shape() for file in row.attachments],
        "accountInformation": {
            "salesAccount": blocks.short_account(company, body["salesAccount"]),
            "expenseAccount": blocks.short_account(company, body["expenseAccount"]),
        },
        "note": row.note,
        "lastModifiedDateTime": company.shown(row.modified),
        "timestamp": row.etag,  # lower case here, unlike everywhere else (docs/vendors/visma-net-erp.md E25)
    }
    if call is not None:
        for flag, member in _EXPANDABLE.items():
            if call.flag(flag) is False:
                del shape[member]
        if call.flag("expandAccountInformation") is False:
            del shape["accountInformation"]
        if call.flag("expandNote") is False:
            del shape["note"]
    return shape


def _list(call: Call) -> Answer:
    company = call.company
    rows = by_times(call, company.register("inventory"), lambda row: row.modified, lambda row: row.created)
    number = call.text("inventoryNumber")
    if number:
        rows = [row for row in rows if row.key.casefold() == number.casefold()]
    for name in ("description", "status"):
        value = call.text(name)
        if value:
            rows = [row for row in rows if str(row.body[name]).casefold() == value.casefold()]
    kinds = call.text("inventoryTypes")
    if kinds:
        wanted = {kind.strip() for kind in kinds.split(",")}
        rows = [row for row in rows if row.body["type"] in wanted]
    return Answer(200, page(call, rows, lambda row: render_item(company, row, call), inventory=True))


def _by_path(call: Call) -> Row:
    register = call.company.register("inventory")
    if "inventoryId" in call.params:
        row = register.find(call.number("inventoryId"))
    else:
        row = register.get(call.params["inventoryNumber"])
    if row is None:
        raise not_found("The inventory item")
    return row


def _get(call: Call) -> Answer:
    row = _by_path(call)
    return Answer(200, render_item(call.company, row), {"ETag": f'"{row.etag}"'})


def _post(call: Call) -> Answer:
    row = new_item(call.company, call.update("InventoryUpdateDto"))
    return created(call.location(f"/v1/inventory/{row.key}"), row.etag)


def _put(call: Call) -> Answer:
    row = _by_path(call)  # no If-Match on this operation (docs/vendors/visma-net-erp.md E40)
    change_item(call.company, row, call.update("InventoryUpdateDto"))
    return changed(call.location(f"/v1/inventory/{row.key}"), row.etag)


def _rename(call: Call) -> Answer:
    blocks.change_key(call, "inventory", "INVENTORY", "inventoryNbr", "ChangeInventoryNbrActionDto")
    return action_result()


def _classes(call: Call) -> Answer:
    company = call.company
    rows = [_class_reference(company, class_id) for class_id in company.item_classes]
    return Answer(200, page(call, rows, lambda row: row))


def _class(call: Call) -> Answer:
    if call.params["itemClassNumber"] not in call.company.item_classes:
        raise not_found("The item class")
    return Answer(200, _class_reference(call.company, call.params["itemClassNumber"]))


def _posting_classes(call: Call) -> Answer:
    rows = [{"id": key, "description": text} for key, text in call.company.posting_classes.items()]
    return Answer(200, page(call, rows, dict))


def _cross_references(call: Call) -> Answer:
    _by_path(call)
    return Answer(200, [])


def _attach(call: Call) -> Answer:
    return blocks.receive_upload(call, _by_path(call))


def add_routes(routes: Routes) -> None:
    """Items and their classes."""
    routes.add("GET", "/v1/inventory", _list)
    routes.add("POST", "/v1/inventory", _post)
    routes.add("POST", "/v1/inventory/action/changeInventoryNbr/{internalId}", _rename)
    routes.add("GET", "/v1/inventory/internal/{inventoryId}", _get)
    routes.add("PUT", "/v1/inventory/internal/{inventoryId}", _put)
    routes.add("GET", "/v1/inventory/itemClass", _classes)
    routes.add("GET", "/v1/inventory/itemClass/{itemClassNumber}", _class)
    routes.add("GET", "/v1/inventory/itemPostClass", _posting_classes)
    routes.add("GET", "/v1/inventory/{inventoryNumber}", _get)
    routes.add("PUT", "/v1/inventory/{inventoryNumber}", _put)
    routes.add("POST", "/v1/inventory/{inventoryNumber}/attachment", _attach)
    routes.add("GET", "/v1/inventory/{inventoryNumber}/crossReferences", _cross_references)
