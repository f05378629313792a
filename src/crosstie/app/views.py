"""Views: what lists and `--json` show of mappings, connections, couplings and problems."""

from datetime import datetime
from typing import Any

import msgspec

from crosstie.model.connections import Connection
from crosstie.model.couplings import Coupling
from crosstie.model.mappings import Mapping
from crosstie.model.problems import Problem
from crosstie.model.records import CheckFinding
from crosstie.model.transformations import Rule


class ConnectionView(msgspec.Struct, frozen=True, kw_only=True):
    """A connection without its secret."""

    name: str
    kind: str
    address: str
    tenant_id: str
    client_id: str
    settings: dict[str, Any]
    environment: str
    enabled: bool
    paused_reason: str

    @classmethod
    def of(cls, connection: Connection) -> "ConnectionView":
        return cls(**{name: getattr(connection, name) for name in cls.__struct_fields__})


class ConnectionTest(msgspec.Struct, frozen=True, kw_only=True):
    """What a connection test found."""

    name: str
    passed: bool
    findings: list[CheckFinding]


class FieldMappingView(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the field mapping list."""

    label: str
    local_field: str | None
    remote_field: str | None
    direction: str
    constant: str | int | bool | None
    lookup: str | None
    rule: str | None
    enabled: bool
    create_only: bool
    not_null: bool
    clear_value_on_failed_sync: bool
    match_priority: int | None
    case_sensitive_match: bool
    conflict_resolution: str | None = None
    transform_to_remote: tuple[Rule, ...] = ()
    """The transformation rules on the way to the remote field; each is written as `model.transformations` says."""
    transform_to_local: tuple[Rule, ...] = ()


class MappingView(msgspec.Struct, frozen=True, kw_only=True):
    """An integration table mapping with its figures."""

    name: str
    label: str
    direction: str
    local_table: str
    remote_table: str
    local_filter: str | None
    remote_filter: str | None
    only_coupled: bool
    enabled: bool
    update_conflict: str
    deletion_conflict: str
    synchronise_after_match: bool
    create_if_no_match: bool
    depends_on: tuple[str, ...]
    couplings: int
    problems: int
    fields: list[FieldMappingView]

    @classmethod
    def of(cls, mapping: Mapping, couplings: int, problems: int) -> "MappingView":
        return cls(
            name=mapping.name,
            label=mapping.label,
            direction=mapping.direction.value,
            local_table=mapping.local_table,
            remote_table=mapping.remote_table,
            local_filter=mapping.local_filter,
            remote_filter=mapping.remote_filter,
            only_coupled=mapping.only_coupled,
            enabled=mapping.enabled,
            update_conflict=mapping.update_conflict.value,
            deletion_conflict=mapping.deletion_conflict.value,
            synchronise_after_match=mapping.synchronise_after_match,
            create_if_no_match=mapping.create_if_no_match,
            depends_on=mapping.depends_on,
            couplings=couplings,
            problems=problems,
            fields=[
                FieldMappingView(
                    label=field.label or field.name,
                    local_field=field.local_field,
                    remote_field=field.remote_field,
                    direction=field.direction.value,
                    constant=field.constant,
                    lookup=field.lookup.mapping if field.lookup else None,
                    rule=field.rule,
                    enabled=field.enabled,
                    create_only=field.create_only,
                    not_null=field.not_null,
                    clear_value_on_failed_sync=field.clear_value_on_failed_sync,
                    match_priority=field.match_priority,
                    case_sensitive_match=field.case_sensitive_match,
                    conflict_resolution=field.conflict_resolution.value if field.conflict_resolution else None,
                    transform_to_remote=field.transform_to_remote,
                    transform_to_local=field.transform_to_local,
                )
                for field in mapping.fields
            ],
        )


class CouplingView(msgspec.Struct, frozen=True, kw_only=True):
    """A coupling as lists show it."""

    id: int
    local_id: str
    local_key: str | None
    local_name: str | None
    remote_id: str
    remote_key: str | None
    remote_name: str | None
    state: str
    last_synchronised: datetime | None

    @classmethod
    def of(cls, coupling: Coupling) -> "CouplingView":
        values = {name: getattr(coupling, name) for name in cls.__struct_fields__ if name != "state"}
        return cls(state=coupling.state.value, **values)


class CouplingPage(msgspec.Struct, frozen=True, kw_only=True):
    """Couplings of a mapping: one page, and how many there are by state."""

    mapping: str
    couplings: list[CouplingView]
    total: int
    by_state: dict[str, int]


class RecordView(msgspec.Struct, frozen=True, kw_only=True):
    """A record as a problem names it."""

    name: str
    local_id: str | None
    remote_id: str | None


class ProblemFieldView(msgspec.Struct, frozen=True, kw_only=True):
    """The values of a field that a problem is about: base and now, on both sides."""

    field: str
    label: str
    base: dict[str, Any]
    local: Any
    remote: Any
    words: str


class ProblemView(msgspec.Struct, frozen=True, kw_only=True, rename={"problem_class": "class"}):
    """An open problem in words, with what to do about it."""

    id: int
    mapping: str
    record: RecordView
    problem_class: str
    code: str
    words: str
    next_step: str
    direction: str | None
    attempts: int
    first_seen: datetime
    last_seen: datetime
    fields: list[ProblemFieldView]
    waits_for: list[dict[str, str]]

    @classmethod
    def of(cls, problem: Problem) -> "ProblemView":
        return cls(
            id=problem.id,
            mapping=problem.mapping,
            record=RecordView(name=problem.name, local_id=problem.local_id, remote_id=problem.remote_id),
            problem_class=problem.problem_class.value,
            code=problem.code,
            words=problem.words,
            next_step=problem.next_step,
            direction=problem.direction.value if problem.direction else None,
            attempts=problem.attempts,
            first_seen=problem.first_seen,
            last_seen=problem.last_seen,
            fields=[
                ProblemFieldView(
                    field=field.field,
                    label=field.label or field.field,
                    base={"local": field.base_local, "remote": field.base_remote},
                    local=field.local,
                    remote=field.remote,
                    words=field.words,
                )
                for field in problem.fields
            ],
            waits_for=[
                {"mapping": wait.mapping, "side": wait.side.value, "record": wait.key} for wait in problem.waits_for
            ],
        )
