"""What the server fills in by itself when a row is written: names, addresses, states, owners, money.

Each rule says which columns it depends on; it runs when one of them is written, sees the row as it will be
(*merged*: new values over old ones) and puts what follows into *values*. Values are in their stored form.
"""

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from crosstie.sandbox.dataverse.environment import BASE_CURRENCY, Call, Environment
from crosstie.sandbox.dataverse.errors import BAD_ARGUMENT, BAD_STATUS, Refusal
from crosstie.sandbox.dataverse.schema import Table

Row = Mapping[str, object]
Values = dict[str, object]
Apply = Callable[[Call, Row, Values], None]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of one table: *apply* runs when a column of *inputs* is written."""

    inputs: frozenset[str]
    apply: Apply


_PREFIXES = ("address1_", "address2_", "address3_", "shipto_", "billto_")
_ADDRESS_PARTS = ("line1", "line2", "line3", "city", "stateorprovince", "postalcode", "country")
_CUSTOMER_PARTS: Final = {
    "parentcustomerid": {"account": "accountid", "contact": "parentcontactid"},
    "customerid": {"account": "accountid", "contact": "contactid"},
}
_PARENT_CURRENCY: Final = {
    "salesorderdetail": ("salesorderid", "salesorder"),
    "productpricelevel": ("pricelevelid", "pricelevel"),
}


def rules_of(env: Environment, table: Table) -> tuple[Rule, ...]:
    """The rules of a table."""
    return env.remember(("rules", table.name), lambda: tuple(_make_rules(table)))


def _make_rules(table: Table) -> Iterator[Rule]:
    columns = table.columns
    for prefix in ("", "yomi"):
        parts = (f"{prefix}firstname", f"{prefix}lastname")
        if f"{prefix}fullname" in columns and all(part in columns for part in parts):
            yield Rule(frozenset(parts), _full_name(f"{prefix}fullname", parts))
    for prefix in _PREFIXES:
        if f"{prefix}composite" in columns:
            yield Rule(frozenset(prefix + part for part in _ADDRESS_PARTS), _composite(prefix))
    for column, parts_of in _CUSTOMER_PARTS.items():
        if column in columns:
            yield Rule(frozenset({column}), _customer(column, parts_of))
    if "ownerid" in columns and columns["ownerid"].access != "read":
        yield Rule(frozenset({"ownerid"}), _owner)
    twins = tuple(name.removesuffix("_base") for name in columns if name.endswith("_base"))
    if twins and "transactioncurrencyid" in columns:
        yield Rule(frozenset({"transactioncurrencyid", *twins}), _money(table.name, twins))


def due_rules(env: Environment, table: Table, touched: AbstractSet[str]) -> list[Rule]:
    """The rules that writing the columns *touched* brings into play."""
    return [rule for rule in rules_of(env, table) if not rule.inputs.isdisjoint(touched)]


def apply_rules(call: Call, table: Table, values: Values, before: Callable[[], Row] | None) -> None:
    """Run the rules that *values* touch; *before* gives the stored row where there is one already."""
    due = due_rules(call.env, table, values.keys())
    if due:
        merged: Row = values if before is None else {**before(), **values}
        for rule in due:
            rule.apply(call, merged, values)


def _full_name(target: str, parts: tuple[str, ...]) -> Apply:
    def apply(call: Call, merged: Row, values: Values) -> None:
        words = [str(merged[part]) for part in parts if merged.get(part)]
        values[target] = " ".join(words)[:160] or None

    return apply


def _composite(prefix: str) -> Apply:
    target, names = f"{prefix}composite", [prefix + part for part in _ADDRESS_PARTS]

    def apply(call: Call, merged: Row, values: Values) -> None:
        line1, line2, line3, city, state, code, country = [merged.get(name) for name in names]
        region = " ".join([str(text) for text in (state, code) if text])
        place = ", ".join([str(text) for text in (city, region) if text])
        lines = [str(line) for line in (line1, line2, line3, place, country) if line]
        values[target] = "\r\n".join(lines) or None

    return apply


def _customer(column: str, parts: Mapping[str, str]) -> Apply:
    def apply(call: Call, merged: Row, values: Values) -> None:
        for target, name in parts.items():
            values[name] = merged.get(column) if merged.get(f"{column}type") == target else None

    return apply


def _owner(call: Call, merged: Row, values: Values) -> None:
    owner, kind = merged.get("ownerid"), merged.get("owneridtype")
    if owner is None:
        raise Refusal(400, BAD_ARGUMENT, "The owner of a record cannot be null (attribute 'ownerid').")
    values["owninguser"] = owner if kind == "systemuser" else None
    values["owningteam"] = owner if kind == "team" else None
    sql = f"SELECT businessunitid FROM {kind} WHERE {kind}id = ?"
    found = call.env.small_row(sql, owner)
    values["owningbusinessunit"] = found[0] if found else None


def _money(table: str, twins: tuple[str, ...]) -> Apply:
    """Round amounts to the currency's precision and fill exchange rate and amounts in base currency."""

    def apply(call: Call, merged: Row, values: Values) -> None:
        currency = merged.get("transactioncurrencyid")
        written = [name for name in twins if values.get(name) is not None]
        if currency is None and written:
            currency = _default_currency(call, table, merged)
            values["transactioncurrencyid"] = currency
        if currency is None:
            values |= {f"{name}_base": None for name in twins if name in values}
            if "transactioncurrencyid" in values:
                values["exchangerate"] = None
            return
        rate, precision = _currency(call, currency)
        if "exchangerate" in call.env.schema.table(table).columns:
            values["exchangerate"] = float(rate)
        step = 10 ** (4 - min(precision, 4))
        for name in written:
            values[name] = _rounded(Decimal(str(values[name])) / step) * step
        due = twins if "transactioncurrencyid" in values else [name for name in twins if name in values]
        for name in due:
            amount = values[name] if name in values else merged.get(name)
            values[f"{name}_base"] = None if amount is None else _rounded(Decimal(str(amount)) / rate)

    return apply


def _rounded(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_HALF_UP))


def _default_currency(call: Call, table: str, merged: Row) -> object:
    """The parent document's currency, else the caller's own, else the environment's base currency."""
    parent = _PARENT_CURRENCY.get(table)
    db = call.env.db
    if parent is not None:
        sql = f"SELECT transactioncurrencyid FROM {parent[1]} WHERE {parent[1]}id = ?"
        found = db.execute(sql, (merged.get(parent[0]),)).fetchone()
        if found and found[0]:
            return found[0]
    sql = "SELECT transactioncurrencyid FROM systemuser WHERE systemuserid = ?"
    found = call.env.small_row(sql, call.caller)
    if found and found[0]:
        return found[0]
    found = db.execute("SELECT basecurrencyid FROM organization").fetchone()
    return found[0] if found and found[0] else BASE_CURRENCY


def _currency(call: Call, currency: object) -> tuple[Decimal, int]:
    sql = "SELECT exchangerate, currencyprecision FROM transactioncurrency WHERE transactioncurrencyid = ?"
    found = call.env.small_row(sql, currency)
    if not found or not found[0]:
        return Decimal(1), 2
    return Decimal(repr(found[0])), 2 if found[1] is None else int(str(found[1]))


def new_state(table: Table, values: Values) -> None:
    """State and status reason of a new row: the table's first state, and a status reason that belongs to it."""
    if not table.states():
        return
    state = table.default_state
    values["statecode"] = state
    status = values.get("statuscode")
    if status is None:
        values["statuscode"] = table.default_status(state)
    else:
        _check_status(table, state, status, "")


def changed_state(table: Table, values: Values, before: Callable[[], Row], row_id: str) -> None:
    """State and status reason of a changed row; raises :class:`Refusal` 400 where they do not belong together."""
    if "statecode" not in values and "statuscode" not in values:
        return
    old = before()
    state = values.get("statecode", old["statecode"])
    status = values.get("statuscode")
    if state is None:
        raise Refusal(400, BAD_STATUS, f"State code is invalid: null is no state of {table.name} with Id {row_id}.")
    if status is None:
        same = state == old["statecode"] and old["statuscode"] is not None
        values["statuscode"] = old["statuscode"] if same else table.default_status(int(str(state)))
        values["statecode"] = state
        return
    _check_status(table, state, status, f" with Id {row_id}")


def _check_status(table: Table, state: object, status: object, which: str) -> None:
    option = next((item for item in table.columns["statuscode"].options.values() if item.value == status), None)
    if option is None or option.state != state:
        label = next((item.label for item in table.states().values() if item.value == state), str(state))
        raise Refusal(
            400,
            BAD_STATUS,
            f"{status} is not a valid status code for state code {table.schema}State.{label} on {table.name}{which}.",
        )
