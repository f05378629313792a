"""The switches of the Business Central sandbox."""

from typing import Final

from crosstie.sandbox.settings import Setting

SCHEMA: Final = (
    Setting("page_size", 20_000, "records in a page at most; odata.maxpagesize can only lower it"),
    Setting("batch_size", 100, "operations in a $batch at most"),
    Setting("case_sensitive", True, "whether text in filters compares by case"),
    Setting(
        "unsupported_filter",
        "ignore",
        "in, any and all without $schemaversion=2.1: drop the clause in silence, or refuse the request with 501",
        ("ignore", "refuse"),
    ),
    Setting("company_required", False, "refuse requests that name no company instead of taking the first one"),
    Setting("environments", [], "names of environments that exist; an empty list takes every name"),
    Setting("missing_apis", [], "custom APIs whose extension is not installed, such as crosstie/sync/v1.0"),
    Setting("ignore_client_ids", [], "entity sets that insert by code and give a record an id of their own"),
    Setting("count_with_mark", False, "/$count begins with a byte order mark"),
    Setting("refuse_null", False, "null for a text is refused instead of taken as blank"),
    Setting("manual_numbers_customers", True, "whether a new customer may bring its number"),
    Setting("manual_numbers_vendors", True, "whether a new vendor may bring its number"),
    Setting("manual_numbers_contacts", True, "whether a new contact may bring its number"),
    Setting("manual_numbers_items", True, "whether a new item may bring its number"),
    Setting("customer_contacts", True, "a new customer gets a company contact"),
    Setting("vendor_contacts", True, "a new vendor gets a company contact"),
    Setting(
        "inherit_company_details",
        False,
        "a new person takes salesperson, currency, address and phones of its company where it has none",
    ),
)
