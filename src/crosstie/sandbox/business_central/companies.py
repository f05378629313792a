"""The companies of the environment: making, finding, and what each holds ready."""

from dataclasses import dataclass, field
from typing import Final

from crosstie.sandbox.business_central import errors
from crosstie.sandbox.business_central.pages import Api, Page
from crosstie.sandbox.business_central.reading import Reader
from crosstie.sandbox.business_central.records import Records
from crosstie.sandbox.business_central.schema import Row, Schema
from crosstie.sandbox.business_central.values import NO_ID
from crosstie.sandbox.clock import Clock
from crosstie.sandbox.data.ids import COMPANY_ID
from crosstie.sandbox.database import Database
from crosstie.sandbox.settings import Settings

TABLE: Final = "Company"
DEFAULT_NAME: Final = "CRONUS International Ltd."
DEFAULT_CURRENCY: Final = "GBP"

_SYSTEM_VERSION: Final = "28.0.0.0"


@dataclass(slots=True)
class Company:
    """One company: its id and name, its records, and readers of its pages."""

    id: str
    name: str
    records: Records
    _readers: dict[tuple[str, str], Reader] = field(default_factory=dict)

    def reader(self, api: Api, page: Page) -> Reader:
        """What reads *page* in this company."""
        key = (api.route, page.name)
        found = self._readers.get(key)
        if found is None:
            found = self._readers[key] = Reader(self.records, api, page)
        return found


class Companies:
    """The companies in order of their making; the first is the default."""

    def __init__(self, database: Database, clock: Clock, settings: Settings, schema: Schema) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._schema = schema
        self._shared = self._records(0)
        self._known: list[Company] = []

    def open(self) -> None:
        """Load the companies that the database holds, or make the first one."""
        name = self._schema.tables[TABLE].sql_name
        found = self._database.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone()
        if found is None:
            self.make_anew()
        rows = sorted(self._shared.find_all(TABLE), key=lambda row: row["position"])
        self._known = [self._company(row) for row in rows]

    def make_anew(self) -> None:
        """Make the list of companies and the first company; the database must be empty."""
        table = self._schema.tables[TABLE]
        self._known = []
        with self._database.transaction():
            for statement in table.ddl(table.sql_name):
                self._database.execute(statement)
            self.add(DEFAULT_NAME, COMPANY_ID)

    def add(self, name: str, id: str = NO_ID, display_name: str = "", currency: str = DEFAULT_CURRENCY) -> Company:
        """Make a company with empty tables; *currency* is its local currency code. Raises where the name is taken."""
        row = self._schema.tables[TABLE].blank()
        row.update(
            system_id=id,
            name=name,
            display_name=display_name or name,
            system_version=_SYSTEM_VERSION,
            position=len(self._known) + 1,
        )
        with self._database.transaction():
            row["timestamp"] = self._database.version + 1
            self._shared.insert(TABLE, row)
            company = self._company(row)
            company.records.make_tables()
            setup = company.records.find_all("General Ledger Setup")[0]
            company.records.change("General Ledger Setup", setup, setup | {"lcy_code": currency})
        self._known.append(company)
        return company

    def rename(self, id: str, name: str, display_name: str) -> Company:
        """Give a company its names, or make it where there is none of that id."""
        row = self._shared.get(TABLE, id)
        if row is None:
            return self.add(name, id, display_name)
        self._shared.change(TABLE, row, row | {"name": name, "display_name": display_name or name})
        company = self.find(id)
        company.name = name
        return company

    @property
    def first(self) -> Company:
        """The default company."""
        return self._known[0]

    @property
    def all(self) -> tuple[Company, ...]:
        """Every company."""
        return tuple(self._known)

    def find(self, key: str) -> Company:
        """The company with that id or name, in quotes or not; raises the refusal where there is none."""
        wanted = key.strip().removeprefix("id=").removeprefix("name=").strip("'\"").replace("''", "'")
        for company in self._known:
            if wanted.lower() in (company.id, company.name.lower()):
                return company
        raise errors.company_not_found(wanted)

    def _company(self, row: Row) -> Company:
        return Company(row["system_id"], row["name"], self._records(row["position"]))

    def _records(self, position: int) -> Records:
        return Records(self._database, self._clock, self._settings, self._schema, f"c{position}_")
