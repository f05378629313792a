"""What goes along when a connection answers as another environment: filters of mappings that name its company."""

import re

import msgspec

from crosstie.app.home import Home
from crosstie.app.mappings import prepare_standard
from crosstie.app.session import KIND_OF, Session, connection_of
from crosstie.app.systems import open_system
from crosstie.model.connections import Connection
from crosstie.model.errors import CrosstieError, UsageError
from crosstie.model.mappings import Mapping
from crosstie.model.records import CheckFinding
from crosstie.store.base import Unit

_COMPANY = re.compile(r"\b(bcbi_companyid eq )[0-9a-f-]{36}\b", re.IGNORECASE)


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """Mappings as they are to be stored with a connection that answers as another environment, and what is said."""

    mappings: list[Mapping] = []
    settings: dict[str, str] = {}
    told: list[CheckFinding] = []

    def store(self, unit: Unit) -> None:
        """Store them, as long as nobody has changed them meanwhile."""
        there = {each.name: each for each in unit.mappings()}
        for each in self.mappings:
            if of_company(there.get(each.name, each), "") == of_company(each, ""):
                unit.put_mapping(each)
        for name, value in self.settings.items():
            unit.put_setting(name, value)


def of_company(mapping: Mapping, company: str | None) -> Mapping:
    """Return a mapping whose filter asks for this company's row, where it asked for one of another environment."""
    if company is None or mapping.remote_filter is None:
        return mapping
    return msgspec.structs.replace(mapping, remote_filter=_COMPANY.sub(rf"\g<1>{company}", mapping.remote_filter))


async def moved(home: Home, connection: Connection, environment: str) -> Moved:
    """Return what goes along with a connection that has answered as `environment`; nothing is stored.

    Nothing does where it answered so before, or where the other side is not connected. If that cannot be asked now, it
    is told that filters still name the company of before.
    """
    with home.store.begin() as unit:
        known, mappings = unit.connections(), unit.mappings()
        ownership = unit.settings().get("ownership_model") or "person"
    before = next((each.environment for each in known if each.name == connection.name), "")
    if before in ("", environment) or not any(_COMPANY.search(each.remote_filter or "") for each in mappings):
        return Moved()
    side = next(side for side, kind in KIND_OF.items() if kind is connection.kind)
    try:
        systems = {side: open_system(connection), side.other: open_system(connection_of(known, side.other))}
    except UsageError:
        return Moved()
    try:
        ready = await prepare_standard(Session(home, home.store, systems, {}), [], ownership=ownership)
    except CrosstieError as error:
        words = f"Filters still name the company of before: {error.words} Check them, or go through the setup again."
        return Moved(told=[CheckFinding(name="mappings", passed=True, detail=words)])
    finally:
        for system in systems.values():
            await system.close()
    changed = [(each, of_company(each, ready.company)) for each in mappings]
    found = [after for each, after in changed if after != each]
    words = f"The filters of {', '.join(each.name for each in found)} name the company of {environment} now."
    told = [CheckFinding(name="mappings", passed=True, detail=words)] if found else []
    return Moved(mappings=found, settings=ready.settings, told=told)
