"""Reference data: organisation, branches, VAT, terms, currencies, keys and series."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from simulators.visma_net.answers import Answer, not_found
from simulators.visma_net.blocks import account as account_reference
from simulators.visma_net.blocks import download, mark_attachment
from simulators.visma_net.call import Call, Handler, Routes
from simulators.visma_net.documents import ZERO
from simulators.visma_net.ledger import LEDGER
from simulators.visma_net.paging import by_times, envelope, page
from simulators.visma_net.state import Company, Dimension, Row, Series, Vat

SINCE = "2020-01-01T00:00:00"
_ORGANIZATION = "1"


def _organization(call: Call) -> dict[str, Any]:
    company = call.company
    shape = {
        **company.organization,
        "organizationCd": _ORGANIZATION,
        "name": company.name,
        "organizationType": "WithBranchesNotBalancing",
        "fileTaxByBranches": False,
        "baseCurrency": company.base_currency,
        "currency": _currency(company, company.base_currency),
        "ledger": LEDGER,
        "lastModifiedDateTime": SINCE,
        "timeStamp": "AAAAAAAAB9E=",
    }
    shape["branches"] = [
        {"number": number, "name": branch["name"]} for number, branch in company.branches.items()
    ]
    return shape


def _organizations(call: Call) -> Answer:
    return Answer(200, [_organization(call)])


def _one_organization(call: Call) -> Answer:
    if call.params["organizationNumber"] != _ORGANIZATION:
        raise not_found("The organization")
    return Answer(200, _organization(call))


def _branch(company: Company, number: str) -> dict[str, Any]:
    currency = company.currencies[company.base_currency]
    return {
        "number": number,
        **company.branches[number],
        "organizationId": 1,
        "isActive": True,
        "lastModifiedDateTime": SINCE,
        "defaultCountry": company.organization["defaultCountry"],
        "mainAddress": company.organization["mainAddress"],
        "mainContact": company.organization["mainContact"],
        "currency": {
            "id": company.base_currency,
            "description": currency["description"],
            "symbol": currency["symbol"],
        },
        "ledger": LEDGER,
    }


def _branches(call: Call) -> Answer:
    return Answer(200, [_branch(call.company, number) for number in call.company.branches])


def _one_branch(call: Call) -> Answer:
    if call.params["branchNumber"] not in call.company.branches:
        raise not_found("The branch")
    return Answer(200, _branch(call.company, call.params["branchNumber"]))


def _currency(company: Company, code: str) -> dict[str, Any]:
    found = company.currencies[code]
    return {
        "id": code,
        "description": found["description"],
        "symbol": found["symbol"],
        "isBaseCurrency": code == company.base_currency,
        "decimalPrecision": int(found.get("decimals", 2)),
        "isUsedForAccounting": True,
    }


def _terms(terms_id: str, found: dict[str, Any]) -> dict[str, Any]:
    return {
        "termsId": terms_id,
        "description": found["description"],
        "visibleTo": found.get("visible_to", "All"),
        "dueDateType": found.get("due_date_type", "FixedNumberOfDays"),
        "dueDay1": found.get("days", 0),
        "discountType": "FixedNumberOfDays",
        "discountDay": 0,
        "discountPercent": ZERO,
        "instalmentType": found.get("instalment_type", "Single"),
        "numberOfInstalments": found.get("instalments", 0),
        "createdDateTime": SINCE,
        "lastModifiedDateTime": SINCE,
    }


def _credit_terms(call: Call) -> Answer:
    rows = [_terms(terms_id, found) for terms_id, found in call.company.credit_terms.items()]
    wanted = call.text("termsId")
    if wanted:
        rows = [row for row in rows if row["termsId"] == wanted]
    return Answer(200, envelope(call, rows))


def _countries(call: Call) -> Answer:
    rows = [{"id": code, "name": name} for code, name in call.company.countries.items()]
    return Answer(200, page(call, rows, dict))


def _vat_line(vat: Vat) -> dict[str, Any]:
    return {
        "vatId": vat.id,
        "vendorCd": "",
        "description": vat.description,
        "type": "ReverseVat" if vat.reverse else "Vat",
        "calculateOn": "ItemAmount",
        "cashDiscount": "NoAdjust",
        "vatRates": [
            {"revisionID": "1", "vatRate": float(vat.rate), "groupType": "Output", "startDate": SINCE}
        ],
    }


def _category(company: Company, category: str) -> dict[str, Any]:
    ids = dict.fromkeys(vat for (its, _zone), vat in company.vat_rules.items() if its == category)
    return {
        "vatCategoryId": category,
        "description": company.vat_categories[category]["description"],
        "active": True,
        "excludeListedTaxes": False,
        "lastModifiedDateTime": SINCE,
        "vatCategoryLines": [_vat_line(company.vats[vat]) for vat in ids],
    }


def _zone(company: Company, zone: str) -> dict[str, Any]:
    found = company.vat_zones[zone]
    default = found["default_category"]
    return {
        "id": zone,
        "description": found["description"],
        "defaultVatCategory": default,
        "defaultTaxCategory": {
            "number": default,
            "description": company.vat_categories.get(default, {"description": ""})["description"],
        },
    }


def _vat(company: Company, vat: Vat) -> dict[str, Any]:
    pairs = [pair for pair, its in company.vat_rules.items() if its == vat.id]
    rate = float(vat.rate)
    kinds = {25.0: "VatTypeHigh", 12.0: "VatTypeMedium", 6.0: "VatTypeLow"}
    account = account_reference(company, {25.0: "2611", 12.0: "2621", 6.0: "2631"}.get(rate, "2611"))
    return {
        "vatCategoryId": pairs[0][0] if pairs else "",
        "vatId": vat.id,
        "description": vat.description,
        "type": "ReverseVat" if vat.reverse else "Vat",
        "deductibleVat": False,
        "reverseVat": vat.reverse,
        "statisticalVat": False,
        "pendingVat": False,
        "includeinVatExemptTotal": rate == 0 and not vat.reverse,
        "includeinVatTotal": True,
        "enterFromVatInvoice": False,
        "calculateOn": "ItemAmount",
        "cashDiscount": "NoAdjust",
        "euReportCode": "SalesOfService" if vat.reverse else None,
        "documentText": "",
        "vismaXmlVatType": kinds.get(rate, "VatTypeZero"),
        "lastModifiedDateTime": SINCE,
        "glAccounts": {"vatPayableAccount": account},
        "schedules": [
            {"startDate": SINCE, "vatRate": rate, "groupType": "Output", "deductibleVatRate": 100.0}
        ],
        "categories": [_category(company, category) for category in dict.fromkeys(pair[0] for pair in pairs)],
        "zones": [_zone(company, zone) for zone in dict.fromkeys(pair[1] for pair in pairs)],
    }


def _dimension(dimension: Dimension) -> dict[str, Any]:
    segment = {
        "internalId": str(uuid.uuid5(uuid.NAMESPACE_OID, dimension.id)),
        "segmentId": 1,
        "description": dimension.description,
        "length": dimension.length,
        "publicId": str(uuid.uuid5(uuid.NAMESPACE_URL, dimension.id)),
        "validate": False,
        "segmentValues": [],
        "isAutoNumber": dimension.auto_number,
        "consolNumChar": 0,
        "consolOrder": 0,
    }
    return {
        "id": dimension.id,
        "length": dimension.length,
        "description": dimension.description,
        "segments": [segment],
    }


def _dimensions(call: Call) -> Answer:
    return Answer(200, list(call.company.dimensions))


def _segment(call: Call) -> Answer:
    dimension = call.company.dimensions.get(call.params["dimensionId"].upper())
    if dimension is None or call.params["segmentId"] != "1":
        raise not_found("The segment")
    return Answer(200, _dimension(dimension)["segments"][0])


def _series(company: Company, series: Series) -> dict[str, Any]:
    def number(value: int) -> str:
        return str(value).zfill(series.width)

    last = series.first - series.step if series.given is None else series.given
    branch = next(iter(company.branches))
    return {
        "numberingId": series.id,
        "description": series.description,
        "manualNumbering": series.manual,
        "newNumberSymbol": "<NEW>",
        "sequence": [
            {
                "numberingId": series.id,
                "branch": {"number": branch, "name": company.branches[branch]["name"]},
                "startNbr": number(series.first),
                "endNbr": number(series.last),
                "startDate": SINCE,
                "lastNbr": number(last),
                "warnNbr": number(series.last - 100),
                "nbrStep": series.step,
                "nextNumber": number(series.upcoming()),
            }
        ],
    }


def _account(company: Company, row: Row) -> dict[str, Any]:
    return {
        "accountID": row.internal_id,
        "accountCD": row.key,
        "accountGroupCD": "",
        "accountClass": "",
        "type": row.body["type"],
        "active": row.body["active"],
        "description": row.body["description"],
        "useDefaultSub": True,
        "postOption": "Detail",
        "currency": "",
        "taxCategory": "",
        "cashAccount": row.body.get("cash", False),
        "publicCode1": "",
        "allowManualEntry": True,
        "lastModifiedDateTime": company.shown(row.modified),
        "timeStamp": row.etag,
    }


def _accounts(call: Call) -> Answer:
    company = call.company
    rows = by_times(call, company.register("account"), lambda row: row.modified)
    return Answer(200, page(call, rows, lambda row: _account(company, row)))


def _one_account(call: Call) -> Answer:
    row = call.company.register("account").get(call.params["accountCd"])
    if row is None:
        raise not_found("The account")
    return Answer(200, _account(call.company, row), {"ETag": f'"{row.etag}"'})


def _units(call: Call) -> Answer:
    rows = [
        {"fromUnit": unit, "toUnit": unit, "unitMultDiv": "Multiply", "unitRate": 1.0}
        for unit in sorted(call.company.units)
    ]
    return Answer(200, rows)


def _payment_methods(call: Call) -> Answer:
    rows = [_payment_method(method, found) for method, found in call.company.payment_methods.items()]
    return Answer(200, rows)


def _payment_method(method: str, found: dict[str, Any]) -> dict[str, Any]:
    return {
        "paymentMethodID": method,
        "active": True,
        "meansOfPayment": "CashOrCheck",
        "description": found["description"],
        "useInAP": True,
        "details": [],
    }


def _listing(
    registry: Callable[[Company], dict[str, Any]], render: Callable[[Company, str], dict[str, Any]]
) -> Handler:
    return lambda call: Answer(200, [render(call.company, key) for key in registry(call.company)])


def _single(
    registry: Callable[[Company], dict[str, Any]], render: Callable[[Company, str], dict[str, Any]], name: str
) -> Handler:
    def handler(call: Call) -> Answer:
        # Ids of reference data are short codes; their case does not matter either.
        known = {key.casefold(): key for key in registry(call.company)}
        key = known.get(call.params[name].casefold())
        if key is None:
            raise not_found("The record")
        return Answer(200, render(call.company, key))

    return handler


def _zones(call: Call) -> Answer:
    company = call.company
    return Answer(200, page(call, list(company.vat_zones), lambda zone: _zone(company, zone)))


def _feedback(_call: Call) -> Answer:
    return Answer(201)


def add_routes(routes: Routes) -> None:
    """Registers that are read only, and attachments."""
    routes.add("GET", "/v1/organization", _organizations)
    routes.add("GET", "/v1/organization/{organizationNumber}", _one_organization)
    routes.add("GET", "/v1/branch", _branches)
    routes.add("GET", "/v1/branch/{branchNumber}", _one_branch)
    routes.add("GET", "/v1/creditTerm", _credit_terms)
    routes.add("GET", "/v1/country", _countries)
    routes.add("GET", "/v1/vatZone", _zones)
    routes.add("GET", "/v1/dimension", _dimensions)
    routes.add("GET", "/v1/dimension/{dimensionId}/{segmentId}", _segment)
    routes.add("GET", "/v1/account", _accounts)
    routes.add("GET", "/v1/account/{accountCd}", _one_account)
    routes.add("GET", "/v1/unitofmeasure", _units)
    routes.add("GET", "/v1/paymentmethod", _payment_methods)
    routes.add("GET", "/v1/attachment/{attachmentId}", download)
    routes.add("PUT", "/v1/attachment/{attachmentId}", mark_attachment)
    routes.add("POST", "/v1/webhooknotificationfeedback", _feedback)

    def country(company: Company, code: str) -> dict[str, Any]:
        return {"id": code, "name": company.countries[code]}

    def vat(company: Company, key: str) -> dict[str, Any]:
        return _vat(company, company.vats[key])

    def series(company: Company, key: str) -> dict[str, Any]:
        return _series(company, company.series[key])

    def dimension(company: Company, key: str) -> dict[str, Any]:
        return _dimension(company.dimensions[key])

    def method(company: Company, key: str) -> dict[str, Any]:
        return _payment_method(key, company.payment_methods[key])

    routes.add("GET", "/v1/country/{id}", _single(lambda c: c.countries, country, "id"))
    routes.add("GET", "/v1/currency", _listing(lambda c: c.currencies, _currency))
    routes.add("GET", "/v1/currency/{id}", _single(lambda c: c.currencies, _currency, "id"))
    routes.add("GET", "/v1/vat", _listing(lambda c: c.vats, vat))
    routes.add("GET", "/v1/vat/{id}", _single(lambda c: c.vats, vat, "id"))
    routes.add("GET", "/v1/vatCategory", _listing(lambda c: c.vat_categories, _category))
    routes.add("GET", "/v1/vatCategory/{id}", _single(lambda c: c.vat_categories, _category, "id"))
    routes.add("GET", "/v1/vatZone/{id}", _single(lambda c: c.vat_zones, _zone, "id"))
    routes.add("GET", "/v1/numberSequence", _listing(lambda c: c.series, series))
    routes.add("GET", "/v1/numberSequence/{id}", _single(lambda c: c.series, series, "id"))
    routes.add("GET", "/v1/dimension/{id}", _single(lambda c: c.dimensions, dimension, "id"))
    routes.add("GET", "/v1/paymentmethod/{id}", _single(lambda c: c.payment_methods, method, "id"))
