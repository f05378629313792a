"""People's hands: which record is taken, and which new value is typed in; and habits that a system may have."""

from collections.abc import Callable

from crosstie.model.records import Side
from crosstie.model.values import Scalar
from tests.scenarios.tables import CURRENCY, CUSTOMER, TABLES, tied
from tests.scenarios.world import World


class Hands:
    """Chooses among what there is, and never types in the same value twice."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.typed = 0

    def number(self, kind: str = "N") -> str:
        self.typed += 1
        return f"{kind}{self.typed}"

    def text(self, what: str) -> str:
        self.typed += 1
        return f"{what} {self.typed}"

    def new(self, side: Side, name: str, shape: str = "new") -> Scalar:
        """Return a value that nobody has used in the field."""
        self.typed += 1
        n = self.typed
        match name:
            case "credit":
                return n if shape != "blank" else 0
            case "rating" | "kind":
                return n
            case "currency":
                found = self.world.ids(side, CURRENCY)
                id = found[n % len(found)] if found else None
                return id if side is Side.REMOTE or id is None else self.world.value(side, id, "code", CURRENCY)
            case "phone" if shape == "long" and side is Side.LOCAL:
                return f"+1 555 123 456 {n}"
            case "city" if shape == "odd":
                return f"hidden {n}"
            case "name" if shape == "odd":
                return f"  Odd name {n} "
        return f"{name[:5]} {n}"

    def edit(self, side: Side, id: str, name: str, shape: str) -> None:
        field = tied(CUSTOMER, name).on(side)
        if field is None:
            return
        value = self.new(side, name, shape)
        if shape == "blank" and name != "credit":
            value = None
        if shape == "same" and name in ("name", "phone", "city"):
            value = f"same {name[:4]}"
        self.world.edit(side, id, **{name: value})

    def pick(self, side: Side, pick: int, mapping: str = CUSTOMER) -> str | None:
        ids = self.world.ids(side, mapping)
        return ids[pick % len(ids)] if ids else None

    def free(self, side: Side, pick: int, mapping: str = CUSTOMER) -> str | None:
        coupled = {each.record_id(side) for each in self.world.couplings(mapping)}
        ids = [id for id in self.world.ids(side, mapping) if id not in coupled]
        return ids[pick % len(ids)] if ids else None

    def coupled(self, side: Side, id: str) -> bool:
        return any(each.record_id(side) == id for each in self.world.couplings())


def habit_of(side: Side, habit: str) -> Callable[[str, dict[str, Scalar]], None]:
    """Return what a system does to records of customers by itself."""
    city, phone, name, credit = (tied(CUSTOMER, field).on(side) for field in ("city", "phone", "name", "credit"))

    def change(table: str, values: dict[str, Scalar]) -> None:
        if table != TABLES[CUSTOMER, side]:
            return
        match habit:
            case "upper":
                values[str(city)] = str(values[str(city)]).upper() if values[str(city)] else None
            case "trim":
                values[str(name)] = str(values[str(name)]).strip() if values[str(name)] else None
            case "fill":
                values[str(phone)] = values[str(phone)] or "none"
                values[str(credit)] = values[str(credit)] or 7

    return change
