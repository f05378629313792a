"""Durable workflows: what DBOS does for us, and all that knows of DBOS.

A job is one workflow, whose steps are whole calls of its use case. What is in its database are numbers and how steps
ended; everything that people see is in the log of jobs. Importing this module imports DBOS, which takes its time.
"""

import logging
import os
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL

from crosstie.jobs.carrying import Carrier, Ending
from crosstie.model.errors import StoreError
from crosstie.model.jobs import JobState
from crosstie.store.addresses import Address, parse_address
from crosstie.store.failures import told

VERSION = "1"
"""To be changed only when workflows begun by an earlier version cannot be carried on: they would never run again."""
QUEUE = "jobs"
AT_ONCE = 4
"""So many jobs a worker carries out at the same time."""
_POLL_SECONDS = 0.25
_WORKFLOW = "crosstie.job"
_ALIVE = ["PENDING", "ENQUEUED", "DELAYED"]
_OVER = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
_FORGET_AT_ONCE = 500
_carriers: list[Carrier] = []
"""The one that carries out the jobs of this process, while DBOS is launched: DBOS is one a process."""


# --- the workflow ---------------------------------------------------------------------------------------------


@DBOS.step(name="crosstie.begin")
def _begin(job_id: int, attempt: int) -> list[str] | None:
    return _carriers[-1].begin(job_id, attempt)


@DBOS.step(name="crosstie.carry")
def _carry(job_id: int, attempt: int, mapping: str | None) -> dict[str, Any] | None:
    ending = _carriers[-1].carry(job_id, attempt, mapping)
    found: dict[str, Any] | None = msgspec.to_builtins(ending)
    return found


@DBOS.step(name="crosstie.end")
def _end(job_id: int, attempt: int, endings: list[dict[str, Any]]) -> None:
    _carriers[-1].end(job_id, attempt, msgspec.convert(endings, list[Ending]))


@DBOS.workflow(name=_WORKFLOW, max_recovery_attempts=None)
def _job(job_id: int, attempt: int) -> None:
    """Carry out one attempt at a job. Has no effect but in its steps, and those may be called twice."""
    mappings = _begin(job_id, attempt)
    if mappings is None:
        return
    endings: list[dict[str, Any]] = []
    parts: list[str | None] = [*mappings] or [None]
    for mapping in parts:
        ending = _carry(job_id, attempt, mapping)
        if ending is None:
            return
        endings.append(ending)
        if ending["stops"] or ending["state"] == JobState.QUEUED.value:
            break
    _end(job_id, attempt, endings)


# --- the engine -----------------------------------------------------------------------------------------------


class Workflows:
    """DBOS, launched in this process over the database that belongs to a store.

    Raises StoreError if the store is in memory, where nothing can be durable, or has no such database yet and none can
    be made. Only one may be launched in a process.
    """

    def __init__(self, store_address: str, executor: str, carrier: Carrier) -> None:
        if _carriers:
            raise StoreError("This process runs a worker already.", next_step="Stop that one first.")
        parsed = parse_address(store_address)
        self._engine: Engine | None = None
        config = DBOSConfig(
            name="crosstie",
            application_version=VERSION,
            executor_id=executor,
            serializer=DBOSPortableJSONSerializer(),
            log_level="WARNING",
            use_listen_notify=False,
        )
        _lead_logs_into_ours()
        _carriers.append(carrier)
        try:
            with told(parsed.shown):
                self._launch(config, parsed)
        except BaseException:
            self.close()
            raise

    def _launch(self, config: DBOSConfig, address: Address) -> None:
        if address.server is not None:
            self._engine, config["dbos_system_schema"] = _server(address.server)
            config["system_database_engine"] = self._engine
        elif address.file is not None:
            file = workflow_file(address.file)
            _prepare(file)
            config["system_database_url"] = URL.create("sqlite", database=str(file)).render_as_string()
        else:
            raise StoreError(
                "A store in memory cannot have background jobs.", next_step="Keep the store in a file, or PostgreSQL."
            )
        DBOS(config=config)
        DBOS.launch()
        DBOS.register_queue(
            QUEUE, worker_concurrency=AT_ONCE, polling_interval_sec=_POLL_SECONDS, on_conflict="always_update"
        )

    def enqueue(self, job_id: int, attempt: int) -> None:
        """Have an attempt at a job carried out by whichever worker is free; one enqueued before is left alone."""
        DBOS.enqueue_workflow_with_options(
            {
                "workflow_name": _WORKFLOW,
                "queue_name": QUEUE,
                "workflow_id": _id(job_id, attempt),
                "app_version": VERSION,
            },
            job_id,
            attempt,
        )

    def going_on(self, attempts: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
        """Return those of the (job, attempt) whose workflow waits or runs."""
        by_id = {_id(job_id, attempt): (job_id, attempt) for job_id, attempt in attempts}
        if not by_id:
            return set()
        found = DBOS.list_workflows(workflow_ids=list(by_id), status=_ALIVE, load_input=False, load_output=False)
        return {by_id[each.workflow_id] for each in found}

    def executors(self) -> set[str]:
        """Return the executors under which workflows run."""
        running = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        return {each.executor_id for each in running if each.executor_id}

    def recover(self, executors: Sequence[str]) -> int:
        """Put what ran under dead executors back into the queue; return how many workflows that were."""
        return len(DBOS._recover_pending_workflows(list(executors)))

    def forget(self, before: datetime) -> int:
        """Remove the workflows that ended before a time, at most some hundreds; return how many."""
        found = DBOS.list_workflows(
            status=_OVER,
            completed_before=before.isoformat(),
            limit=_FORGET_AT_ONCE,
            load_input=False,
            load_output=False,
        )
        if found:
            DBOS.delete_workflows([each.workflow_id for each in found])
        return len(found)

    def close(self) -> None:
        """Take no more work, and let go of the database."""
        DBOS.destroy()
        _carriers.clear()
        if self._engine is not None:
            self._engine.dispose()


def _id(job_id: int, attempt: int) -> str:
    return f"job-{job_id}-{attempt}"


# --- its database ---------------------------------------------------------------------------------------------


def workflow_file(store: Path) -> Path:
    """Return the file of the workflows' database that goes with a store's: `crosstie.db` has `crosstie.jobs.db`."""
    return store.with_name(f"{store.stem}.jobs{store.suffix or '.db'}")


def _prepare(file: Path) -> None:
    """Make the file if it is not there, readable by its owner only, with a write-ahead log."""
    try:
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(file, timeout=30)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            f"The database of the background jobs, {file}, cannot be opened: {error}.",
            next_step="Check the permissions of the file and of its folder.",
            path=str(file),
        ) from error


def _server(url: URL) -> tuple[Engine, str]:
    """Return an engine on the store's server, and the schema of the workflows: one for each schema that has a store."""
    engine = create_engine(url, pool_size=5, max_overflow=10, pool_pre_ping=True, hide_parameters=True)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT current_schema()")).scalar()
    return engine, "crosstie_jobs" if found in (None, "public") else f"{found}_jobs"


def _lead_logs_into_ours() -> None:
    """Keep DBOS from writing to the terminal by itself: what it logs goes where everything else is logged."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
