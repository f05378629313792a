"""Runs the migrations. Only imported for a store that is new or old."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from alembic.util.exc import CommandError
from sqlalchemy import Connection

from crosstie.model.errors import StoreTooNew
from crosstie.store import schema

FOLDER = Path(__file__).with_name("migrations")


def scripts(*more: Path) -> tuple[Config, ScriptDirectory]:
    """Return the revisions that are shipped, and those in the folders `more`."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(str(folder) for folder in (FOLDER / "versions", *more)))
    return config, ScriptDirectory.from_config(config)


def migrate(
    connection: Connection, found: str | None, shown: str, *, to: str = "heads", more: Sequence[Path] = ()
) -> None:
    """Bring the tables from revision `found` (None: there are none) to revision `to`, in the transaction that is open.

    Raises StoreTooNew if `found` is not a revision of this version.
    """
    config, directory = scripts(*more)
    if found is not None and not _knows(directory, found):
        raise StoreTooNew(
            f"The store {shown} was made by a newer version of Crosstie (revision {found}, known are those up to "
            f"{directory.get_current_head()}).",
            revision=found,
        )

    def steps(revision: Any, context: MigrationContext) -> Any:
        return directory._upgrade_revs(to, revision)

    with EnvironmentContext(config, directory, fn=steps) as environment:
        environment.configure(connection=connection, version_table=schema.version.name)
        environment.run_migrations()


def _knows(directory: ScriptDirectory, revision: str) -> bool:
    try:
        return directory.get_revision(revision) is not None
    except (CommandError, ResolutionError):
        return False
