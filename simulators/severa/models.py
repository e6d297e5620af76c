"""The vendor's models of the registers that the simulator keeps, in the notation of `fields`.

Field names and enumeration words are the vendor's (OpenAPI document of the public REST API, version 1). A model holds
what is kept and converted; what is only computed for the answer stands in `rendering`.
"""

from __future__ import annotations

from simulators.severa.fields import Model, model

_USER = "@users(code,name,firstName,lastName)"
_UNIT = "@businessunits(name,code,companyGuid,companyName,companyBusinessUnitGuid,companyCountryGuid,companyCurrencyGuid)"
_CURRENCY = "@currencies(name,code,symbol)"
_CUSTOMER = "@customers(name,number)"
_ACCOUNT = "@salesaccounts(name,number)"
_CENTRE = "@costcenters(name,identifier)"
_PRODUCT_TYPE = "FixedFees|Materials|Subcontracting"
_EXPENSE_CLASS = "Mileage|DailyAllowance|OtherTravelExpense"
_METHOD = "Phone|Fax|MobilePhone|IPPhone|InstantMessenger|EmailAddress"

_ON_INVOICE = """
    invoice:@invoices(date,number) invoiceRowGuid:str- invoiceQuantity:num invoiceRowDescription:str
    invoiceRowComment:str
"""

MODELS: dict[str, Model] = {
    name: model(text)
    for name, text in {
        "customers": f"""
            name:str! number:int64 isActive:bool=true isInternal:bool-=false notes:str email:str website:str
            vatNumber:str kvkNumber:str numberOfEmployees:int32 annualRevenue:int64
            language:@languages(name,englishName,code) currency:@currencies(name,symbol,code) owner:{_USER}
            headquarterAddress:@addresses(addressline,postalCode,city,country) timezone:@timezones(name)
            paymentTerm:int32 overdueInterest:num invoicingVat:@vatrates(percentage,code) eInvoiceAddress:str
            eInvoiceOperator:str organizationUnitNumber:str""",
        "addresses": f"""
            addressline:str postalCode:str city:str isBillingAddress:bool=false isPostalAddress:bool=false
            isVisitAddress:bool=false phone:str fax:str country:@countries(name,englishName,hasRegions)
            customer:{_CUSTOMER} contacts:@@contactpersons(name)""",
        "contactpersons": f"""
            firstName:str! lastName:str! salutation:Mr.|Mrs.|Ms. description:str jobTitle:str isActive:bool=true
            isDeleted:bool-=false customer:{_CUSTOMER}! addressGuid:str
            satisfactionLevel:Unsatisfied|Neutral|Satisfied|Unknown=Unknown timeZone:@timezones(name)
            dateOfBirth:date language:@languages(name) isEmailAllowed:bool=false""",
        "contactcommunications": """
            value:str! isForbiddenToUse:bool=true contact:@contactpersons(name)!
            communicationType:@communicationtypes(name,isActive,type)!""",
        "communicationtypes": f"name:str! isActive:bool=true type:{_METHOD}^=Phone",
        "products": f"""
            name:str! code:str unitPrice:moneyn unitCost:moneyn vatRate:num measurementUnit:str isActive:bool=true
            productCategory:@productcategories(name) salesAccount:{_ACCOUNT} type:{_PRODUCT_TYPE}=Materials
            proposalDescription:str""",
        "productcategories": "name:str! isActive:bool=true isDefault:bool=false code:str",
        "worktypes": """
            name:str! isActive:bool=true isProductive:bool=false isDefault:bool=false
            salesAccount:@salesaccounts(name) code:str hourCost:moneyn""",
        "travelexpensetypes": f"""
            name:str! expenseClass:{_EXPENSE_CLASS}! purchaseVatRate:num includeTime:bool=true
            costAccount:@costaccounts(name,number) unitCost:money! code:str vatRate:num measurementUnit:str
            isActive:bool=true productCategory:@productcategories(name) salesAccount:{_ACCOUNT}""",
        "vatrates": "percentage:num! code:str isActive:bool=true isDefault:bool=false countryGuid:str",
        "currencies": """
            name:str code:str- rate:num^=1 symbol:str isActive:bool=true isOrganizationCurrency:bool-=false""",
        "countries": """
            name:str englishName:str code2:str code3:str hasRegions:str companyRegisterUrl:str isInEU:bool=false
            defaultCulture:str isRegistrationCountry:bool=false currency:raw defaultLanguage:@languages(name)
            timezone:@timezones(name)""",
        "languages": "name:str englishName:str code:str isInvoiceLanguage:bool=true",
        "timezones": "name:str systemName:str ianaName:str",
        "businessunits": f"""
            name:str! parentGuid:str isActive:bool=true costCenter:{_CENTRE}- vatNumber:str kvkNumber:str
            code:str""",
        "costcenters": "name:str! identifier:str! isActive:bool=true isDefault:bool=false",
        "salesaccounts": """
            name:str! number:str! isActive:bool=true isProductDefault:bool=false isWorkTypeDefault:bool=false
            isTravelTypeDefault:bool=false""",
        "costaccounts": "name:str! number:str! isActive:bool=true isTravelTypeDefault:bool=false",
        "bankaccounts": """
            bankName:str! accountNumber:str! bic:str accountNumberFormat:Iban|Bankgiro^=Iban isActive:bool=true
            businessUnit:@businessunits(name)""",
        "users": f"""
            firstName:str! lastName:str! salutation:Mr.|Mrs.|Ms. isActive:bool=true email:str phone:str
            socialSecurityNumber:str businessUnit:{_UNIT} title:str code:str address:str postalCode:str city:str
            bankAccountNumber:str birthDate:datetime notes:str
            userType:FullUser|Employee|RestrictedEmployee|Subcontractor=FullUser""",
        "projectstatustypes": "name:str! isActive:bool=true sortOrder:int32^=0",
        "salesstatustypes": """
            name:str! isActive:bool=true salesState:InProgress|Won|Lost! defaultProbability:int32
            isProposalDefault:bool=false""",
        "projects": f"""
            name:str! customer:{_CUSTOMER}! projectOwner:{_USER}! isInternal:bool=false internalName:str
            number:int64 description:str isClosed:bool=false closedDate:date- isJoiningAllowed:bool=true
            businessUnit:{_UNIT} currency:{_CURRENCY} customerContact:@contactpersons(name,firstName,lastName,isDeleted)
            salesPerson:{_USER} probability:int32 expectedOrderDate:date expectedValue:moneyn startDate:date
            deadline:date costCenter:{_CENTRE} paymentTerm:int32 ourReference:str yourReference:str
            orderNumber:str invoiceNotes:str billingContact:@contactpersons(name) useWorkTypesFromSetting:bool=true
            useProductsFromSetting:bool=true useOvertimeMultipliers:bool=true completionEstimatePercentage:int32
            rootPhase:@phases(name)- projectStatusType:@projectstatustypes- projectStatusDescription:str-
            salesStatusType:@salesstatustypes-""",
        "phases": """
            name:str! project:@projects(name,number,isInternal,isClosed) parentPhase:@phases(name)! isCompleted:bool=false isLocked:bool=false
            startDate:date deadline:date workHoursEstimate:num originalWorkHoursEstimate:num
            originalStartDate:date originalDeadline:date sortOrder:int32 defaultWorkType:@worktypes(name)
            code:str""",
        "projectfees": f"""
            name:str billingSchedule:Immediately|OnDate|WhenPhaseCompleted|Recurring=Immediately
            costCenter:{_CENTRE} description:str displayPeriodStartDate:date eventDate:date
            hasVolumePricing:bool=false isBillable:bool measurementUnit:str phase:@phases(name)
            plannedBillingDate:date product:@products(name,code) productType:{_PRODUCT_TYPE} project:@projects(name,companyGuid)!
            quantity:num^=0 salesAccount:{_ACCOUNT} unitCost:moneyn unitPrice:moneyn
            user:@users(code,name,companyGuid) vatRate:num customer:{_CUSTOMER}- isRecurrenceRule:bool-=false
            {_ON_INVOICE}""",
        "workhours": f"""
            phase:@phases(name,isCompleted,isLocked)! user:{_USER}! workType:@worktypes(name,code)! description:str
            unitPrice:money unitCost:money eventDate:date! quantity:num isBillable:bool isApproved:bool=true
            isProductive:bool=true customer:{_CUSTOMER}- project:@projects(name,number,companyGuid,isClosed)- startTime:datetime endTime:datetime
            plannedInvoiceQuantity:num {_ON_INVOICE}""",
        "projecttravelexpenses": f"""
            project:@projects(name,companyGuid,isInternal,number)! phase:@phases(name)! user:@users(code,name,companyGuid)!
            travelExpense:@travelexpensetypes(name,expenseClass,includeTime,code)! description:str unitPrice:money
            unitCost:money quantity:num! measurementUnit:str vatRate:num purchaseVatRate:num eventDate:date
            travelStartTime:datetime travelEndTime:datetime travelReimbursementRequired:bool=true isBillable:bool
            billingSchedule:Immediately|OnDate|WhenPhaseCompleted=Immediately plannedBillingDate:date
            customer:@customers(name)- {_ON_INVOICE}""",
        "flatrates": """
            phase:@phases(name)! billingSchedule:Immediately|WhenPhaseCompleted|OnDate! plannedBillingDate:date
            price:moneyn includesHours:num billAdditionalHours:bool=true pricePerAdditionalHour:moneyn
            project:@projects(name,number)- invoiceGuid:str-""",
        "invoicestatuses": """
            name:str! isActive:bool=true isDefault:bool=false isReadOnly:bool=false hasInvoiceNumber:bool=false
            isSent:bool=false isWaitingPayment:bool=false isPaid:bool=false isDefaultForCreditNote:bool=false
            sortOrder:int32^=0""",
        "invoices": f"""
            number:int32 referenceNumber:str status:@invoicestatuses(name,isSent,isWaitingPayment,isPaid)!
            customer:{_CUSTOMER} projects:@@projects(name,number) date:date! dueDate:date! paymentDate:date
            entryDate:date paymentTerm:int32^=30 overdueInterest:num^=0 ourReference:str yourReference:str
            currency:{_CURRENCY}! currencyRate:num^=1 receiverCustomerName:str receiverContactGuid:str
            receiverContactName:str receiverContactEmail:str receiverAddress:raw receiverVatNumber:str
            senderName:str senderContactName:str senderContactGuid:str senderAddress:raw senderVatNumber:str
            isCreditNote:bool-=false reimburseInvoice:@invoices(number)- creditNoteInvoice:@invoices(number)-
            invoiceNumberBusinessUnitGuid:str orderNumber:str billingCustomer:{_CUSTOMER} notes:str
            freeText1:freetext freeText2:freetext language:@languages(name,englishName,code)
            workHourValueAddedTax:num""",
        "invoicerows": """
            invoiceGuid:str- rowType:FlatRate|Hours|ProjectFees|TravelExpenses- description:str quantity:num^=0
            unitPrice:money measurementUnit:str vatRate:num sortOrder:int32^=0 salesAccount:raw-
            recurringSalesAccount:raw- costCenter:raw- category:str- flatRateGuid:str- hasInvoiceComment:bool=false
            code:strs-""",
        "projectbillingcustomers": """
            project:@projects(name)! billingCustomer:@customers(name,eInvoiceAddress,eInvoiceOperator)!
            isDefault:bool=false billingAddress:@addresses(addressline,postalCode,city,country)
            billingContact:@contactpersons(name)""",
        "files": "name:str! description:str contentType:str category:str isInternal:bool=false data:raw",
        "projectfiles": """
            name:str! description:str contentType:str- isInternal:bool=false fileGuid:str- projectGuid:str-""",
        "invoicefiles": """
            name:str! description:str contentType:str- isInternal:bool=false fileGuid:str- invoiceGuid:str-
            sortOrder:int32""",
        "reimbursedworkhours": """
            user:@users(name) eventDate:date quantity:num phase:@phases(name) project:@projects(name,number)
            customer:@customers(name) workType:@worktypes(name) invoiceGuid:str invoiceRowGuid:str description:str
            unitPrice:money unitCost:money invoiceQuantity:num invoiceRowDescription:str invoiceRowComment:str
            plannedInvoiceQuantity:num startTime:datetime endTime:datetime""",
        "reimbursedprojectfees": f"""
            name:str eventDate:date phase:@phases(name) project:@projects(name,number) product:@products(name)
            description:str unitPrice:money unitCost:money quantity:num^=0 measurementUnit:str vatRate:num
            user:@users(name) invoiceGuid:str invoiceRowGuid:str invoiceQuantity:num
            invoiceRowDescription:str productType:{_PRODUCT_TYPE}""",
        "reimbursedprojecttravelexpenses": """
            name:str eventDate:date phase:@phases(name) project:@projects(name,number)
            product:@travelexpensetypes(name) description:str unitPrice:money unitCost:money quantity:num^=0
            measurementUnit:str vatRate:num user:@users(name) invoiceGuid:str invoiceRowGuid:str
            invoiceQuantity:num invoiceRowDescription:str travelStartTime:datetime travelEndTime:datetime""",
        "deletedprojectfees": """
            deletedDateTime:datetime phase:raw project:raw customer:raw user:raw product:raw name:str eventDate:date
            quantity:num measurementUnit:str""",
    }.items()
}

INDEXES: dict[str, tuple[str, ...]] = {
    "customers": ("number",),
    "addresses": ("customer",),
    "contactpersons": ("customer",),
    "contactcommunications": ("contact",),
    "projects": ("customer", "number"),
    "phases": ("project",),
    "projectfees": ("project", "invoice", "invoiceRowGuid"),
    "workhours": ("project", "invoice", "invoiceRowGuid"),
    "projecttravelexpenses": ("project", "invoice", "invoiceRowGuid"),
    "flatrates": ("invoiceGuid",),
    "invoices": ("customer", "status", "number"),
    "invoicerows": ("invoiceGuid",),
    "projectbillingcustomers": ("project",),
    "projectfiles": ("projectGuid", "fileGuid"),
    "invoicefiles": ("invoiceGuid", "fileGuid"),
    "reimbursedworkhours": ("invoiceGuid", "invoiceRowGuid"),
    "reimbursedprojectfees": ("invoiceGuid", "invoiceRowGuid"),
    "reimbursedprojecttravelexpenses": ("invoiceGuid", "invoiceRowGuid"),
}
"""Register → fields that its records are looked up by."""

WITHOUT_AUDIT = frozenset({"countries", "languages", "timezones", "flatrates"})
"""Registers whose model has no created and updated stamps."""
