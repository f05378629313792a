"""pybusinesscentral: every answer must fit the models of Microsoft's OpenAPI. Usage: business_central_models.py ROOT"""

import sys

import pybusinesscentral
from pybusinesscentral.api.company_api import CompanyApi
from pybusinesscentral.api.customer_api import CustomerApi
from pybusinesscentral.api.payment_term_api import PaymentTermApi
from pybusinesscentral.api.vendor_api import VendorApi
from pybusinesscentral.model.post_customer_request import PostCustomerRequest
from pybusinesscentral.model.post_payment_term_request import PostPaymentTermRequest
from pybusinesscentral.model.post_vendor_request import PostVendorRequest
from steps import finish, step

JSON = "application/json"
settings = pybusinesscentral.Configuration(host=sys.argv[1])
settings.access_token = "sandbox"
with pybusinesscentral.ApiClient(settings) as client:
    customers, vendors, terms = CustomerApi(client), VendorApi(client), PaymentTermApi(client)
    companies = step("companies", lambda: CompanyApi(client).list_companies().value, lambda found: len(found) == 1)
    company = companies[0].id
    step("one company", lambda: CompanyApi(client).get_company(company).name, companies[0].name)

    body = PostCustomerRequest(displayName="Modelled & Co.", number="model-1", type="Company", city="Leeds")
    made = step("create a customer", lambda: customers.post_customer(company, JSON, body))
    step("its number is in capitals", lambda: made.number, "MODEL-1")
    step("a blank option", lambda: made.blocked, lambda value: str(value).strip() in ("", "_x0020_"))
    step("read it", lambda: customers.get_customer(company, made.id).display_name, "Modelled & Co.")
    step(
        "read it with what it names",
        lambda: customers.get_customer(company, made.id, expand=["currency", "paymentTerm"]).id,
        made.id,
    )
    change = PostCustomerRequest(displayName="Modelled again")
    step(
        "change it",
        lambda: customers.patch_customer(company, made.id, JSON, "*", change).display_name,
        "Modelled again",
    )
    step(
        "a stale tag is refused",
        lambda: customers.patch_customer(company, made.id, JSON, 'W/"bm9uc2Vuc2U="', change),
        raises="Request_EntityChanged",
    )
    step(
        "the same number twice is refused",
        lambda: customers.post_customer(company, JSON, body),
        raises="Internal_EntityWithSameKeyExists",
    )
    unknown = PostCustomerRequest(currencyCode="XXQ")
    step(
        "a currency that is not there is refused",
        lambda: customers.patch_customer(company, made.id, JSON, "*", unknown),
        raises="Internal_InvalidTableRelation",
    )
    step(
        "a filter",
        lambda: [c.number for c in customers.list_customers(company, filter="displayName eq 'Modelled again'").value],
        ["MODEL-1"],
    )
    step(
        "the first two with two fields",
        lambda: len(customers.list_customers(company, top=2, select=["id", "displayName"]).value),
        2,
    )
    step("every customer fits the model", lambda: len(customers.list_customers(company).value), lambda n: n > 100)
    step("every vendor fits the model", lambda: len(vendors.list_vendors(company).value), 25)
    vendor = step(
        "create a vendor",
        lambda: vendors.post_vendor(company, JSON, PostVendorRequest(displayName="Modelled supplier", number="MV-1")),
    )
    step("delete the vendor", lambda: vendors.delete_vendor(company, vendor.id))
    step("payment terms fit the model", lambda: len(terms.list_payment_terms(company).value), lambda n: n >= 6)
    term = PostPaymentTermRequest(code="model", displayName="Modelled", dueDateCalculation="5D")
    made_term = step("create payment terms", lambda: terms.post_payment_term(company, JSON, term))
    step("the code is in capitals", lambda: made_term.code, "MODEL")
    step("delete the payment terms", lambda: terms.delete_payment_term(company, made_term.id))
    step("delete the customer", lambda: customers.delete_customer(company, made.id))
    step("it is gone", lambda: customers.get_customer(company, made.id), raises="Internal_RecordNotFound")
finish()
