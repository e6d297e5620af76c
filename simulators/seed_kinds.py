"""The kinds of facts that `seed` is made of: frozen rows without behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

STANDARD_VAT = Decimal(25)


@dataclass(frozen=True)
class Address:
    """A postal address; `country` is an ISO 3166 two-letter code."""

    line: str
    postal_code: str
    city: str
    country: str = "SE"


@dataclass(frozen=True)
class Contact:
    """A contact person of a customer. `salutation` is Mr, Mrs or Ms."""

    first_name: str
    last_name: str
    title: str
    email: str
    mobile: str = ""
    phone: str = ""
    salutation: str | None = None


@dataclass(frozen=True)
class Customer:
    """A customer. `number` None: none given yet. `customer_class` is the ERP's. `active_in_erp` counts there only."""

    key: str
    name: str
    number: int | None
    organisation_number: str
    vat_number: str
    address: Address
    email: str
    website: str = ""
    currency: str = "SEK"
    payment_term: int = 30
    customer_class: str = "1"
    vat_percent: Decimal = STANDARD_VAT
    notes: str = ""
    in_severa: bool = True
    in_erp: bool = True
    active_in_erp: bool = True
    internal: bool = False
    billing_address: Address | None = None
    contacts: tuple[Contact, ...] = ()


@dataclass(frozen=True)
class Item:
    """A product, work type or travel expense type; in the ERP one inventory item under the same code.

    `register` is product, work or travel. `price` is the list price (product) or the unit cost (travel).
    `severa_type` is the product type or the expense class there. `vat_category` and `item_class` are the ERP's.
    """

    register: str
    code: str
    name: str
    price: Decimal
    unit: str
    item_class: str
    erp_type: str
    severa_type: str = ""
    vat_category: str = "25"
    vat_percent: Decimal = STANDARD_VAT
    sales_account: str = "3041"
    in_severa: bool = True
    in_erp: bool = True


@dataclass(frozen=True)
class Project:
    """A project or sales case. `state` is InProgress, Won or Lost; `in_erp` only for the one moved beforehand."""

    number: int
    name: str
    customer_key: str
    start: date
    owner_code: str
    state: str = "Won"
    closed: bool = False
    internal: bool = False
    order_number: str = ""
    your_reference: str = ""
    in_erp: bool = False


@dataclass(frozen=True)
class User:
    """An employee."""

    code: str
    first_name: str
    last_name: str
    email: str
    title: str = "Konsult"


@dataclass(frozen=True)
class InvoiceStatus:
    """One row of the guide's tables, in order. `role` is our word for it and stands in no system."""

    role: str
    name: str
    read_only: bool = False
    numbered: bool = False
    sent: bool = False
    waiting: bool = False
    paid: bool = False
    default: bool = False
    default_for_credit_notes: bool = False


@dataclass(frozen=True)
class VatCategory:
    """A VAT category of the ERP's items; `percent` is what it means for a domestic customer."""

    id: str
    description: str
    percent: Decimal


@dataclass(frozen=True)
class VatZone:
    """A VAT zone of the ERP's customers."""

    id: str
    description: str
    default_category: str


@dataclass(frozen=True)
class VatRule:
    """Category × zone → VAT id and percent; a pair that is not listed does not exist in the ERP."""

    category: str
    zone: str
    vat_id: str
    description: str
    percent: Decimal
    reverse: bool = False


@dataclass(frozen=True)
class CreditTerms:
    """Credit terms with one instalment and a fixed number of days."""

    id: str
    description: str
    days: int


@dataclass(frozen=True)
class Currency:
    """`rate` = Swedish kronor for one unit of the currency."""

    code: str
    name: str
    symbol: str
    rate: Decimal
    decimals: int = 2


@dataclass(frozen=True)
class Country:
    """`name` in Swedish, as an organisation with Swedish as its language sees it."""

    code2: str
    code3: str
    name: str
    english_name: str
    in_eu: bool
    currency: str


@dataclass(frozen=True)
class Account:
    """A ledger account; `type` is Asset, Liability, Income or Expense."""

    number: str
    name: str
    type: str


@dataclass(frozen=True)
class ItemClass:
    """An item class of the ERP; `type` is the kind of item it is for."""

    id: str
    description: str
    type: str
    vat_category: str = "25"
    unit: str = "ST"


@dataclass(frozen=True)
class CustomerClass:
    """A customer class of the ERP; it decides VAT zone, currency and terms of a new customer."""

    id: str
    description: str
    vat_zone: str
    credit_terms: str = "30"
    currency: str = "SEK"


@dataclass(frozen=True)
class NumberSeries:
    """A number series of the ERP; `first` is the next number of an empty company."""

    id: str
    description: str
    first: int
    last: int


@dataclass(frozen=True)
class SegmentedKey:
    """A segmented key of the ERP (CS203000) with one segment."""

    id: str
    description: str
    length: int
    auto_number: bool = False
    series: str | None = None


@dataclass(frozen=True)
class Branch:
    """A branch of the ERP; in Severa the business unit that is the company."""

    number: str
    name: str
    code: str


@dataclass(frozen=True)
class Firm:
    """One customer of the product: its identity and its registers in both systems."""

    name: str
    organisation_number: str
    vat_number: str
    severa_client_id: str
    severa_client_secret: str
    erp_client_id: str
    erp_client_secret: str
    erp_tenant_id: str
    erp_company_id: int
    address: Address
    branches: tuple[Branch, ...]
    customers: tuple[Customer, ...]
    items: tuple[Item, ...]
    projects: tuple[Project, ...]
    users: tuple[User, ...]
    currency: str = "SEK"
    country: str = "SE"
    time_zone: str = "Europe/Stockholm"
    payment_term: int = 30

    def customer(self, key: str) -> Customer:
        """Give a customer by key; KeyError when there is none."""
        for customer in self.customers:
            if customer.key == key:
                return customer
        raise KeyError(key)
