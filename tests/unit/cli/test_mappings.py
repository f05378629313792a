"""`mapping`: list, show, fields, set, set-field, reset."""

import msgspec
import pytest

from crosstie.app.mappings import ChangedMapping, LaidDown
from crosstie.app.people.acting import command_line
from crosstie.app.views import MappingView
from crosstie.model.errors import InvalidFilter
from crosstie.model.mapping_changes import MappingChange
from crosstie.model.mappings import Direction, FieldMapping, Lookup
from tests.unit.cli.conftest import Crosstie, make_mapping

FIELDS = (
    FieldMapping(
        local_field="currencyId",
        remote_field="transactioncurrencyid",
        direction=Direction.TO_REMOTE,
        label="Currency Code",
        lookup=Lookup(mapping="CURRENCY"),
        match_priority=2,
        not_null=True,
    ),
    FieldMapping(
        local_field=None,
        remote_field="customertypecode",
        direction=Direction.TO_REMOTE,
        constant="[3]",
        create_only=True,
        enabled=False,
        rule="company_id",
    ),
)
MADE = make_mapping(fields=FIELDS, local_filter="blocked eq ' '", depends_on=("CURRENCY",), label="Customers")
VIEW = MappingView.of(MADE, 1200, 3)


def test_the_list_of_mappings(crosstie: Crosstie) -> None:
    crosstie.answer("mappings.list_mappings", [VIEW])
    (row,) = crosstie.run("mapping", "list").stdout.splitlines()[1:]
    assert row.split() == ["CUSTOMER", "customers", "↔", "account", "1,200", "3"]
    (found,) = crosstie.json("mapping", "list")["mappings"]
    assert (found["name"], found["couplings"], found["problems"]) == ("CUSTOMER", 1200, 3)


def test_an_empty_list_says_how_to_begin(crosstie: Crosstie) -> None:
    crosstie.answer("mappings.list_mappings", [])
    assert "crosstie mapping reset" in crosstie.run("mapping", "list").stdout


def test_the_card_of_a_mapping(crosstie: Crosstie) -> None:
    crosstie.answer("mappings.show_mapping", VIEW)
    card = dict(line.split("  ", 1) for line in crosstie.run("mapping", "show", "customer").stdout.splitlines())
    values = {title: value.strip() for title, value in card.items()}
    assert values["Name"] == "CUSTOMER  Customers"
    assert values["Local filter"] == "blocked eq ' '"
    assert values["Remote filter"] == "none"
    assert values["Direction"] == "bidirectional"
    assert values["After"] == "CURRENCY"
    assert values["Couplings"] == "1,200"
    assert crosstie.calls[0][1][1] == "customer"
    assert crosstie.json("mapping", "show", "customer")["fields"][0]["lookup"] == "CURRENCY"


def test_the_fields_of_a_mapping(crosstie: Crosstie) -> None:
    crosstie.answer("mappings.show_mapping", VIEW)
    lines = crosstie.run("mapping", "fields", "CUSTOMER").stdout.splitlines()
    assert [line.split("  ")[-1].strip() for line in lines[1:]] == [
        "lookup CURRENCY, match group 2, not blank",
        'disabled, constant "[3]", rule company_id, on create only',
    ]
    assert lines[1].split()[:5] == ["Currency", "Code", "currencyId", "→", "transactioncurrencyid"]
    found = crosstie.json("mapping", "fields", "CUSTOMER")
    assert found["mapping"] == "CUSTOMER"
    assert [field["remote_field"] for field in found["fields"]] == ["transactioncurrencyid", "customertypecode"]


@pytest.mark.parametrize(
    ("args", "names", "options"),
    [
        ((), (), {"ownership": "person", "custom_pages": False}),
        (("customer", "--ownership", "team"), ("customer",), {"ownership": "team", "custom_pages": False}),
        (("--custom-pages",), (), {"ownership": "person", "custom_pages": True}),
    ],
)
def test_reset_restores_all_or_those_named(
    crosstie: Crosstie, args: tuple[str, ...], names: tuple[str, ...], options: dict[str, object]
) -> None:
    crosstie.answer("mappings.reset_mappings", LaidDown(mappings=["CUSTOMER", "VENDOR"]))
    assert crosstie.run("mapping", "reset", *args).stdout == "Restored: CUSTOMER, VENDOR.\n"
    assert crosstie.calls[0][1][1] == names
    assert crosstie.calls[0][2] == {**options, "by": command_line()}
    assert crosstie.json("mapping", "reset", *args) == {"mappings": ["CUSTOMER", "VENDOR"], "off": {}}


def test_what_cannot_work_is_restored_disabled_and_said(crosstie: Crosstie) -> None:
    off = {"CONTACT": "bc does not have the custom API page crosstie/sync/v1.0/syncContacts."}
    crosstie.answer("mappings.reset_mappings", LaidDown(mappings=["CUSTOMER", "CONTACT"], off=off))
    assert crosstie.run("mapping", "reset").stdout.splitlines() == [
        "Restored: CUSTOMER, CONTACT.",
        f"CONTACT is disabled, because it cannot work: {off['CONTACT']}",
        "        Enable it once that is there: `crosstie mapping set CONTACT --enabled`.",
    ]
    assert crosstie.json("mapping", "reset")["off"] == off


@pytest.mark.parametrize(
    ("args", "changes"),
    [
        (
            ("set", "CUSTOMER", "--direction", "to_remote", "--not-only-coupled", "--local-filter", ""),
            {"direction": "to_remote", "only_coupled": False, "local_filter": ""},
        ),
        (("set", "CUSTOMER", "--disabled", "--deletion-conflict", "restore"),
         {"enabled": False, "deletion_conflict": "restore"}),
        (("set-field", "CUSTOMER", "Phone No.", "--disabled"), {"fields": {"Phone No.": {"enabled": False}}}),
        (
            ("set-field", "CUSTOMER", "ownerid", "--no-not-null", "--clear-value-on-failed-sync"),
            {"fields": {"ownerid": {"not_null": False, "clear_value_on_failed_sync": True}}},
        ),
        (
            ("set-field", "CUSTOMER", "city", "--no-match", "--update-conflict", "mapping"),
            {"fields": {"city": {"match_priority": None, "conflict_resolution": None}}},
        ),
    ],
)  # fmt: skip
def test_what_is_given_changes(crosstie: Crosstie, args: tuple[str, ...], changes: dict[str, object]) -> None:
    told = MappingChange(field="City", setting="enabled", before=True, after=False)
    crosstie.answer("mappings.change_mapping", ChangedMapping(mapping=VIEW, changes=[told], warnings=["Mind it."]))
    assert crosstie.run("mapping", *args).stdout == "City: enabled: yes -> no\nNote: Mind it.\nSaved.\n"
    _, by, name, given = crosstie.calls[0][1]
    assert (by, name, msgspec.to_builtins(given)) == (command_line(), "CUSTOMER", changes)
    assert crosstie.calls[0][2] == {"dry_run": False}
    assert crosstie.run("mapping", *args, "--dry-run").stdout.endswith("Nothing was stored (dry run).\n")
    assert crosstie.json("mapping", *args)["changes"][0]["setting"] == "enabled"


def test_a_change_of_nothing_and_one_that_cannot_be(crosstie: Crosstie) -> None:
    assert crosstie.run("mapping", "set", "CUSTOMER").exit_code == 2
    crosstie.answer("mappings.change_mapping", ChangedMapping(mapping=VIEW, changes=[], warnings=[]))
    assert "Nothing changes" in crosstie.run("mapping", "set", "CUSTOMER", "--enabled").stdout
    crosstie.answer("mappings.change_mapping", InvalidFilter("The filter 'x' ends too early."))
    refused = crosstie.run("mapping", "set", "CUSTOMER", "--local-filter", "x")
    assert refused.exit_code == 2
    assert "ends too early" in refused.stderr
