"""Where next steps are taken on the command line: the commands and options of each place."""

import shlex
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from crosstie.model.places import Place

COMMANDS: Mapping[Place, tuple[str, ...]] = {
    Place.MAPPINGS: ("crosstie mapping list",),
    Place.MAPPING: ("crosstie mapping show {mapping}",),
    Place.MAPPING_RESET: ("crosstie mapping reset {mapping}",),
    Place.FIELDS: ("crosstie mapping fields {mapping}",),
    Place.CONNECTIONS: ("crosstie connection list", "crosstie connection add"),
    Place.CONNECTION_NEW: ("crosstie connection add {connection}",),
    Place.CONNECTION_TEST: ("crosstie connection test {connection}",),
    Place.CONNECTION_ENABLE: ("crosstie connection enable {connection}",),
    Place.CONNECTION_DISABLE: ("crosstie connection disable {connection}",),
    Place.COUPLE: ("crosstie couple {mapping}", "crosstie create {mapping}"),
    Place.COUPLE_LOCAL: ("crosstie couple {mapping} {id} --to RECORD", "crosstie create {mapping} {id}"),
    Place.COUPLE_REMOTE: ("crosstie couple {mapping} RECORD --to {id}", "crosstie create {mapping} --remote {id}"),
    Place.UNCOUPLE: ("crosstie uncouple {mapping}",),
    Place.HALF: ("crosstie restore {mapping} {id}", "crosstie uncouple {mapping} {id}"),
    Place.PROBLEMS: ("crosstie problems",),
    Place.PROBLEMS_DELETED: ("crosstie problems --code partner-deleted",),
    Place.JOBS: ("crosstie jobs",),
    Place.JOB: ("crosstie jobs",),
    Place.HISTORY: ("crosstie history {mapping}",),
    Place.USERS: ("crosstie user list", "crosstie user invite"),
    Place.USER_ENABLE: ("crosstie user enable {name}",),
    Place.USER_PASSWORD: ("crosstie user reset-password {name}",),
    Place.USER_ROLE: ("crosstie user role {name} administrator",),
    Place.TOKENS: ("crosstie token list",),
    Place.TOKEN_NEW: ("crosstie token create",),
    Place.PLAN: ("--dry-run", "--force"),
    Place.FORCE: ("--force",),
    Place.EVERYTHING: ("--all",),
    Place.REPLACE: ("--replace",),
    Place.DIRECTION: ("--direction",),
    Place.CRITERIA: ("--on",),
    Place.HOME_FOLDER: ("--home",),
    Place.LISTENING: ("--host", "--port"),
    Place.LOG: ("--log-level debug",),
    Place.START: (),
}
_PLACEHOLDERS = {"mapping": "MAPPING", "connection": "NAME", "name": "NAME", "id": "ID"}
_OF_ALL = {"crosstie mapping reset MAPPING": "crosstie mapping reset"}
"""Commands that need not be told what they are about."""


def commands_of(place: Place | None, details: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the commands, or options of the command just given, by which a next step is taken."""
    given = {name: shlex.quote(str(details[name])) for name in _PLACEHOLDERS if details.get(name)}
    facts = defaultdict(str, _PLACEHOLDERS | given)
    found = [each.format_map(facts) for each in (COMMANDS[place] if place is not None else ())]
    return tuple(_OF_ALL.get(each, each) for each in found)


def with_commands(next_step: str, commands: tuple[str, ...]) -> str:
    """Return a next step in one sentence with the commands that take it."""
    if not commands:
        return next_step
    return f"{next_step.rstrip('.')}: {', '.join(f'`{each}`' for each in commands)}."
