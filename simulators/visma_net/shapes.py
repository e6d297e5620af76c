"""Which members an update document has and which of them are wrapped in ``{"value": ...}``.

Member names and enum words are those of the vendor's OpenAPI document. Notation of one token:
``name:type``, type ``s`` text, ``i`` whole number, ``n`` number, ``b`` boolean, ``dt`` time, ``uuid``, an
entry of ``WORDS``, or another shape; ``*`` = wrapped, ``[...]`` = an array, bare.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


WORDS: dict[str, frozenset[str]] = {
    "Title": _words("Doctor Miss Mr Mrs Ms Prof"),
    "ContactMethod": _words("Any Email Mail Fax Phone"),
    "Operation": _words("Insert Update Delete"),
    "AlternateType": _words("CPN VPN Global Barcode"),
    "RotRutItemType": _words("Service MaterialCost OtherCost"),
    "CustomerStatus": _words("Active OnHold CreditHold Inactive OneTime"),
    "CreditVerification": _words("Disabled DaysPastDue CreditLimit LimitAndDaysPastDue"),
    "StatementType": _words("OpenItem BalanceBroughtForward"),
    "ItemStatus": _words("Active NoSales NoPurchases NoRequest Inactive MarkedForDeletion Unknown"),
    "ItemType": _words(
        "NonStockItem LaborItem ServiceItem ChargeItem ExpenseItem FinishedGoodItem "
        "ComponentPartItem SubassemblyItem "
    ),
    "ArDocumentType": _words(
        "Invoice DebitNote CreditNote Payment VoidPayment Prepayment Refund FinCharge "
        "SmallBalanceWo SmallCreditWo CashSale CashReturn Undefined NoUpdate "
    ),
    "PaymentType": _words(
        "Payment CreditNote Prepayment Refund VoidPayment SmallBalanceWo VoidRefund Undefined "
    ),
    "TaskStatus": _words("Planned Active Cancelled Canceled Completed"),
    "ProjectStatus": _words("Planned Active Completed Cancelled OnHold PendingApproval"),
    "BillingPeriod": _words("Weekly Monthly Quarterly Annual OnDemand"),
    "RotRutType": _words("Rut Rot"),
}

_MEMBERS: dict[str, str] = {
    "AddressUpdateDto": (
        "addressLine1:s* addressLine2:s* addressLine3:s* postalCode:s* city:s* countryId:s* county:s* "
    ),
    "AttachmentMetadataUpdateDto": ("sendToAutoinvoice:b* "),
    "AttributeLineUpdateDto": ("attributeId:s* attributeValue:s* "),
    "ChangeCustomerCdActionDto": ("customerCd:s "),
    "ChangeInventoryNbrActionDto": ("inventoryNbr:s "),
    "ChangeProjectIdActionDto": ("projectId:s "),
    "ContactInfoUpdateDto": ("name:s* attention:s* email:s* web:s* phone1:s* phone2:s* fax:s* "),
    "ContactUpdateDto": (
        "active:b* title:Title* firstName:s* lastName:s* position:s* businessAccount:s* "
        "sameAsAccount:b* address:AddressUpdateDto* email:s* web:s* phone1:s* phone2:s* phone3:s* "
        "fax:s* contactMethod:ContactMethod* doNotCall:b* doNotFax:b* doNotEmail:b* doNotMail:b* "
        "noMassMail:b* noMarketing:b* "
    ),
    "CrossReferenceUpdateDto": (
        "operation:Operation alternateType:AlternateType* bAccount:s* alternateID:s* description:s* uom:s* "
    ),
    "CustomerCreditNoteLineUpdateDto": (
        "discountCode:s* taskId:s* operation:Operation inventoryNumber:s* lineNumber:i* "
        "description:s* quantity:n* unitPriceInCurrency:n* manualAmountInCurrency:n* accountNumber:s* "
        "vatCodeId:s* uom:s* discountPercent:n* discountAmountInCurrency:n* manualDiscount:b* "
        "subaccount:[SegmentUpdateDto] salesperson:s* deferralSchedule:i* deferralCode:s* "
        "termStartDate:dt* termEndDate:dt* note:s* branchNumber:s* "
    ),
    "CustomerCreditNoteUpdateDto": (
        "currencyId:s* customerRefNumber:s* externalReference:s* contact:i* project:s* "
        "lines:[CustomerCreditNoteLineUpdateDto] taxDetails:[TaxDetailUpdateDto] "
        "applicationLines:[PaymentLineBaseUpdateDto] customerVatZoneId:s* "
        "invoiceAddress:SalesInvoiceAddressUpdateDto* invoiceContact:SalesInvoiceContactUpdateDto* "
        "overrideNumberSeries:b* sendToAutoInvoice:b* exchangeRate:n* referenceNumber:s* "
        "customerNumber:s* childCustomerNumber:s* consolidateInvoices:b* documentDate:dt* "
        "origInvoiceDate:dt* hold:b* postPeriod:s* financialPeriod:s* invoiceText:s* locationId:s* "
        "salesPersonID:i* salesperson:s* note:s* branchNumber:s* cashAccount:s* dontPrint:b* "
        "dontEmail:b* "
    ),
    "CustomerDefaultPaymentMethodUpdateDto": ("paymentMethodId:s* isDefault:b* "),
    "CustomerDirectDebitUpdateDto": (
        "operation:Operation id:uuid mandateId:s* mandateDescription:s* dateOfSignature:dt* "
        "isDefault:b* oneTime:b* bic:s* iban:s* lastCollectionDate:dt* maxAmount:n* "
        "expirationDate:dt* branch:s* "
    ),
    "CustomerGlAccountsUpdateDto": (
        "customerLedgerAccount:s* customerLedgerSubaccount:[SegmentUpdateDto] salesAccount:s* "
        "salesNonTaxableAccount:s* salesEuAccount:s* salesExportAccount:s* "
        "salesSubaccount:[SegmentUpdateDto] discountAccount:s* discountSubaccount:[SegmentUpdateDto] "
        "freightAccount:s* freightSubaccount:[SegmentUpdateDto] cashDiscountAccount:s* "
        "cashDiscountSubaccount:[SegmentUpdateDto] prepaymentAccount:s* "
        "prepaymentSubaccount:[SegmentUpdateDto] "
    ),
    "CustomerInvoiceLinesUpdateDto": (
        "discountCode:s* domesticServicesDeductible:b* itemType:RotRutItemType* typeOfWork:s* taskId:s* "
        "startDate:dt* endDate:dt* operation:Operation inventoryNumber:s* lineNumber:i* "
        "description:s* quantity:n* unitPriceInCurrency:n* manualAmountInCurrency:n* accountNumber:s* "
        "vatCodeId:s* uom:s* discountPercent:n* discountAmountInCurrency:n* manualDiscount:b* "
        "subaccount:[SegmentUpdateDto] salesperson:s* deferralSchedule:i* deferralCode:s* "
        "termStartDate:dt* termEndDate:dt* note:s* branchNumber:s* "
    ),
    "CustomerInvoiceUpdateDto": (
        "paymentMethodId:s* creditTermsId:s* currencyId:s* customerRefNumber:s* cashDiscountDate:dt* "
        "documentDueDate:dt* externalReference:s* customerProject:s* exchangeRate:n* "
        "domesticServicesDeductibleDocument:b* rotRutDetails:RotRutUpdateDto paymentReference:s* "
        "contact:i* project:s* taxDetailLines:[TaxDetailUpdateDto] "
        "invoiceLines:[CustomerInvoiceLinesUpdateDto] sendToAutoInvoice:b* customerVatZoneId:s* "
        "billingAddress:SalesInvoiceAddressUpdateDto* invoiceContact:SalesInvoiceContactUpdateDto* "
        "startDate:dt* endDate:dt* accountingCostRef:s* originatorDocRef:s* contractDocRef:s* "
        "revoked:b* overrideNumberSeries:b* directDebitMandateId:uuid* excludeDebtCollection:b* "
        "debtCollectionCaseNbr:s* debtCollectionCaseStatus:s* debtCollectionCaseType:s* "
        "debtCollectionCaseUrl:s* referenceNumber:s* customerNumber:s* childCustomerNumber:s* "
        "consolidateInvoices:b* documentDate:dt* origInvoiceDate:dt* hold:b* postPeriod:s* "
        "financialPeriod:s* invoiceText:s* locationId:s* salesPersonID:i* salesperson:s* note:s* "
        "branchNumber:s* cashAccount:s* dontPrint:b* dontEmail:b* "
    ),
    "CustomerUpdateDto": (
        "number:s* name:s* status:CustomerStatus* accountReference:s* numberOfEmployees:i* "
        "parentRecordNumber:s* currencyId:s* creditLimit:n* creditDaysPastDue:i* "
        "overrideWithClassValues:b customerClassId:s* creditTermsId:s* printInvoices:b* "
        "acceptAutoInvoices:b* sendInvoicesByEmail:b* sendDunningLettersViaEMail:b* "
        "printDunningLetters:b* printStatements:b* sendStatementsByEmail:b* "
        "printMultiCurrencyStatements:b* invoiceToDefaultLocation:b* vatRegistrationId:s* "
        "corporateId:s* vatZoneId:s* gln:s* note:s* mainAddress:AddressUpdateDto* "
        "mainContact:ContactInfoUpdateDto* creditVerification:CreditVerification* "
        "invoiceAddress:AddressUpdateDto* invoiceContact:ContactInfoUpdateDto* "
        "statementType:StatementType* deliveryAddress:AddressUpdateDto* "
        "deliveryContact:ContactInfoUpdateDto* priceClassId:s* "
        "eInvoiceContract:EInvoiceContractUpdateDto* "
        "defaultPaymentMethod:CustomerDefaultPaymentMethodUpdateDto* "
        "glAccounts:CustomerGlAccountsUpdateDto* directDebitLines:[CustomerDirectDebitUpdateDto] "
        "attributeLines:[AttributeLineUpdateDto] overrideNumberSeries:b* excludeDebtCollection:b* "
    ),
    "EInvoiceContractUpdateDto": ("fInvoiceContractID:s* fInvoiceIntermediatorID:s* "),
    "FinanceChargesUpdateDto": (
        "operation:Operation entryType:s* offsetAccount:s* offsetSubAccount:s* description:s* "
        "amount:n* lineNbr:i* "
    ),
    "IntrastatUpdateDto": ("cN8:s* countryOfOrigin:s* supplementaryMeasureUnit:s* "),
    "InventoryUpdateDto": (
        "inventoryNumber:s* status:ItemStatus* type:ItemType* description:s* body:s* itemClass:s* "
        "postingClass:s* vatCode:s* defaultPrice:n* baseUnit:s* salesUnit:s* purchaseUnit:s* "
        "expenseAccrualAccount:s* inventoryAccount:s* expenseAccount:s* cogsAccount:s* "
        "expenseNonTaxableAccount:s* expenseEuAccount:s* expenseImportAccount:s* "
        "expenseSubaccount:[SegmentUpdateDto] cogsSubaccount:[SegmentUpdateDto] salesAccount:s* "
        "salesNonTaxableAccount:s* salesEuAccount:s* salesExportAccount:s* "
        "salesSubaccount:[SegmentUpdateDto] attributeLines:[AttributeLineUpdateDto] "
        "packaging:PackagingUpdateDto supplierDetails:[SupplierDetailsDto] "
        "intrastat:IntrastatUpdateDto crossReferences:[CrossReferenceUpdateDto] defaultWarehouse:s* "
        "defaultIssueFrom:s* defaultReceiptTo:s* kitItem:b* note:s* "
    ),
    "JournalTransactionLineUpdateDto": (
        "operation:Operation lineNumber:i* accountNumber:s* subaccount:[SegmentUpdateDto] project:s* "
        "projectTask:s* referenceNumber:s* transactionDescription:s* debitAmountInCurrency:n* "
        "creditAmountInCurrency:n* vatCodeId:s* vatId:s* branch:s* uom:s* quantity:n* note:s* "
    ),
    "JournalTransactionUpdateDto": (
        "batchNumber:s* hold:b* transactionDate:dt* postPeriod:s* financialPeriod:s* ledger:s* "
        "currencyId:s* exchangeRate:n* autoReversing:b* description:s* controlTotalInCurrency:n* "
        "createVatTransaction:b* skipVatAmountValidation:b* transactionCode:s* branch:s* "
        "overrideNumberSeries:b* journalTransactionLines:[JournalTransactionLineUpdateDto] "
    ),
    "PackagingUpdateDto": ("baseItemWeight:n* weightUOM:s* baseItemVolume:n* volumeUOM:s* "),
    "PaymentLineBaseUpdateDto": ("operation:Operation documentType:ArDocumentType* refNbr:s* amountPaid:n* "),
    "PaymentLinesUpdateDto": (
        "cashDiscountTaken:n* balanceWriteOff:n* writeOffReasonCode:s* crossRate:n* "
        "operation:Operation documentType:ArDocumentType* refNbr:s* amountPaid:n* "
    ),
    "PaymentOrdersLinesUpdateDto": ("operation:Operation orderType:s* orderNumber:s* appliedToOrder:n* "),
    "PaymentUpdateDto": (
        "referenceNumber:s* type:PaymentType* hold:b* applicationDate:dt* applicationPeriod:s* "
        "paymentRef:s* customer:s* location:s* paymentMethod:s* cashAccount:s* currency:s* "
        "paymentAmount:n* invoiceText:s* branch:s* overrideNumberSeries:b* "
        "ordersToApply:[PaymentOrdersLinesUpdateDto] financeCharges:[FinanceChargesUpdateDto] "
        "paymentLines:[PaymentLinesUpdateDto] "
    ),
    "ProjectEmployeeUpdateDto": ("operation:Operation employeeId:s* "),
    "ProjectTaskUpdateDto": (
        "taskId:s* description:s* plannedStart:dt* plannedEnd:dt* startDate:dt* rateTable:s* "
        "status:TaskStatus* visibility:VisibilityUpdateDto restrictEmployees:b* "
        "employees:[TaskEmployeeUpdateDto] "
    ),
    "ProjectUpdateDto": (
        "projectID:s* internalID:i* customer:s* description:s* hold:b* template:s* "
        "status:ProjectStatus* defAccount:s* defSub:[SegmentUpdateDto] defAccrualAccount:s* "
        "defAccrualSub:[SegmentUpdateDto] startDate:dt* endDate:dt* billingPeriod:BillingPeriod* "
        "allocationRule:s* billingRule:s* branch:s* rateTable:s* projectManger:s* "
        "projectManagerInternalId:i* autoAllocate:b* automaticReleaseArDoc:b* restricEmployees:b* "
        "restricEquipment:b* customerLocation:s* visibility:VisibilityUpdateDto tasks:[TaskUpdateDto] "
        "employees:[ProjectEmployeeUpdateDto] note:s* "
    ),
    "ReleasePaymentActionDto": ("type:PaymentType* "),
    "ReverseInvoiceActionDto": ("returnCreditNote:b "),
    "RotRutDistributionUpdateDto": ("operation:Operation lineNbr:i* personalId:s* amount:n* extra:b* "),
    "RotRutUpdateDto": (
        "distributedAutomaticaly:b* type:RotRutType* appartment:s* estate:s* organizationNbr:s* "
        "distribution:[RotRutDistributionUpdateDto] "
    ),
    "SalesInvoiceAddressUpdateDto": (
        "overrideAddress:b* addressLine1:s* addressLine2:s* addressLine3:s* postalCode:s* city:s* "
        "countryId:s* county:s* "
    ),
    "SalesInvoiceContactUpdateDto": ("overrideContact:b* name:s* attention:s* email:s* phone1:s* "),
    "SegmentUpdateDto": ("segmentId:i segmentValue:s "),
    "SupplierDetailsDto": (
        "operation:Operation active:b* default:b* supplierID:s* location:s* purchaseUnit:s* "
        "supplierItemID:s* override:b* shipmentLeadTime:i* minOrderFreq:i* minOrderQty:n* "
        "maxOrderQty:n* lotSize:n* eoq:n* currencyID:s* "
    ),
    "TaskEmployeeUpdateDto": ("operation:Operation employeeId:s* "),
    "TaskUpdateDto": (
        "operation:Operation taskId:s* description:s* plannedStart:dt* plannedEnd:dt* startDate:dt* "
        "rateTable:s* status:TaskStatus* restrictEmployees:b* employees:[TaskEmployeeUpdateDto] "
    ),
    "TaxDetailUpdateDto": ("taxId:s* taxableAmount:n* vatAmount:n* "),
    "VisibilityUpdateDto": (
        "visibleInGl:b* visibleInAp:b* visibleInAr:b* visibleInSo:b* visibleInPo:b* visibleInEa:b* "
        "visibleInTa:b* visibleInIn:b* visibleInCa:b* visibleInCr:b* "
    ),
    "VoidPaymentActionDto": ("type:PaymentType returnVoidPayment:b "),
}

SHAPES: dict[str, dict[str, str]] = {
    name: dict(token.split(":", 1) for token in members.split()) for name, members in _MEMBERS.items()
}
"""Shape name -> member -> type, see the module's notation."""
