"""The store on SQLAlchemy: units of work on connections of a pool."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from crosstie.store.answers import SqlAnswers
from crosstie.store.background import SqlBackground
from crosstie.store.configuration import ConfigurationQueries
from crosstie.store.couplings import SqlCouplings
from crosstie.store.due import DueQueries
from crosstie.store.failures import told
from crosstie.store.intents import IntentQueries
from crosstie.store.jobs import JobQueries
from crosstie.store.keys import Secrets
from crosstie.store.lists import SqlLists
from crosstie.store.people import SqlPeople
from crosstie.store.planned import SqlPlanned
from crosstie.store.problems import ProblemQueries
from crosstie.store.work import Work


class SqlUnit(IntentQueries, JobQueries, ProblemQueries, DueQueries, ConfigurationQueries):
    """`store.base.Unit` by SQL."""

    def __init__(self, work: Work, secrets: Secrets) -> None:
        super().__init__(work, secrets)
        self._couplings = SqlCouplings(work)
        self._people = SqlPeople(work)
        self._background = SqlBackground(work)
        self._answers = SqlAnswers(work)
        self._lists = SqlLists(work)
        self._planned = SqlPlanned(work)

    @property
    def couplings(self) -> SqlCouplings:
        return self._couplings

    @property
    def people(self) -> SqlPeople:
        return self._people

    @property
    def background(self) -> SqlBackground:
        return self._background

    @property
    def answers(self) -> SqlAnswers:
        return self._answers

    @property
    def lists(self) -> SqlLists:
        return self._lists

    @property
    def planned(self) -> SqlPlanned:
        return self._planned


class SqlStore:
    """`store.base.Store` by SQL. Units may be open in several threads at once, each on a connection of its own."""

    def __init__(self, engine: Engine, secrets: Secrets, shown: str, on_close: Callable[[], object]) -> None:
        self._engine = engine
        self._secrets = secrets
        self._shown = shown
        self._on_close = on_close

    def __repr__(self) -> str:
        return f"<Store {self._shown}>"

    @contextmanager
    def begin(self) -> Iterator[SqlUnit]:
        """Open a unit of work.

        Raises StoreBusy if another process holds the store for too long, StoreError if it fails otherwise: of what the
        unit did, nothing is kept then.
        """
        with told(self._shown), self._engine.connect() as connection:
            work = Work(connection)
            try:
                yield SqlUnit(work, self._secrets)
                connection.commit()
            except BaseException:
                connection.rollback()
                raise

    def close(self) -> None:
        self._engine.dispose()
        self._on_close()
