"""What is special about a table, as rules with a narrow interface: currencies, owners, contacts, company id.

May import `model` and the contract of a system. The engine sees only `rules.base`.
"""

from crosstie.rules.base import FieldRule
from crosstie.rules.blocked import Blocked
from crosstie.rules.company_id import CompanyId
from crosstie.rules.contact_company import ContactCompany
from crosstie.rules.currency import Currency
from crosstie.rules.exchange_rate import CurrencyPrecision, ExchangeRate, Symbol
from crosstie.rules.owner import Owner, OwningTeam
from crosstie.rules.salesperson_code import SalespersonCode


def all_rules() -> list[FieldRule]:
    """Return every rule that a field mapping may name."""
    return [
        Blocked(),
        CompanyId(),
        ContactCompany(),
        Currency(),
        CurrencyPrecision(),
        ExchangeRate(),
        Owner(),
        OwningTeam(),
        SalespersonCode(),
        Symbol(),
    ]


__all__ = ["all_rules"]
