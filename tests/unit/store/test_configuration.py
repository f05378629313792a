"""Mappings, connections with their secrets, and settings, on both databases; and the key."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import psycopg
import pytest
from sqlalchemy.engine import make_url

from crosstie.model.connections import Connection, SystemKind
from crosstie.model.errors import StoreError
from crosstie.model.mappings import Direction, FieldMapping, Lookup, Mapping, UpdateConflictResolution
from crosstie.store import Store, load_or_make_key
from crosstie.store.keys import make_key
from tests.unit.store.conftest import Opener
from tests.unit.store.values import KEY

SECRET = "a secret \N{SNOWMAN} of no use"

DATAVERSE = Connection(
    name="dataverse",
    kind=SystemKind.DATAVERSE,
    address="https://contoso.crm.example/api/data/v9.2",
    client_id="client",
    secret=SECRET,
    settings={"ca": "/etc/ca.pem", "routes": [{"publisher": "crosstie", "version": 1.5}]},
    environment="env-1",
    paused_reason="Wrong secret.",
)
LOCAL = Connection(name="business-central", kind=SystemKind.BUSINESS_CENTRAL, address="https://bc.example/v2.0")


def mapping(name: str, **more: object) -> Mapping:
    values: dict[str, object] = {
        "name": name,
        "label": name.title(),
        "local_table": "customers",
        "remote_table": "accounts",
        "direction": Direction.BIDIRECTIONAL,
        "fields": (),
        "local_key_field": "number",
        "local_name_field": "displayName",
        "remote_name_field": "name",
    }
    return Mapping(**values | more)  # type: ignore[arg-type]


CUSTOMER = mapping(
    "CUSTOMER",
    fields=(
        FieldMapping(local_field="displayName", remote_field="name", direction=Direction.BIDIRECTIONAL),
        FieldMapping(
            local_field=None,
            remote_field="customertypecode",
            direction=Direction.TO_REMOTE,
            constant=3,
            conflict_resolution=UpdateConflictResolution.NEWEST,
        ),
        FieldMapping(
            local_field="currencyCode",
            remote_field="transactioncurrencyid",
            direction=Direction.BIDIRECTIONAL,
            lookup=Lookup(mapping="CURRENCY"),
        ),
    ),
    local_filter="displayName ne ''",
    depends_on=("CURRENCY",),
    order=20,
)


def test_a_mapping_comes_back_as_it_was_stored_and_replaces_the_one_of_its_name(store: Store) -> None:
    with store.begin() as unit:
        unit.put_mapping(mapping("CUSTOMER"))
        unit.put_mapping(CUSTOMER)
    with store.begin() as unit:
        assert unit.mappings() == [CUSTOMER]
        unit.remove_mapping("CUSTOMER")
        unit.remove_mapping("UNKNOWN")
        assert unit.mappings() == []


def test_mappings_are_listed_by_their_order_then_name(store: Store) -> None:
    with store.begin() as unit:
        for name, order in (("B", 100), ("A", 100), ("Z", 5)):
            unit.put_mapping(mapping(name, order=order))
        assert [each.name for each in unit.mappings()] == ["Z", "A", "B"]


def test_settings_are_kept_by_name(store: Store) -> None:
    with store.begin() as unit:
        assert unit.settings() == {}
        unit.put_setting("guard", "5")
        unit.put_setting("theme", "dark")
        unit.put_setting("guard", "10")
    with store.begin() as unit:
        assert unit.settings() == {"guard": "10", "theme": "dark"}


def test_a_connection_comes_back_as_it_was_stored(store: Store) -> None:
    with store.begin() as unit:
        unit.put_connection(DATAVERSE)
        unit.put_connection(LOCAL)
    with store.begin() as unit:
        assert unit.connections() == [LOCAL, DATAVERSE]
        assert unit.connections(with_secrets=False) == [LOCAL, msgspec.structs.replace(DATAVERSE, secret="")]
        unit.put_connection(msgspec.structs.replace(DATAVERSE, secret="", enabled=False))
        assert unit.connections() == [LOCAL, msgspec.structs.replace(DATAVERSE, secret="", enabled=False)]
        unit.remove_connection("dataverse")
        assert unit.connections() == [LOCAL]


def test_a_secret_stands_nowhere_in_the_database_in_clear(store: Store, address: str) -> None:
    with store.begin() as unit:
        unit.put_connection(DATAVERSE)
    if "://" in address:
        with psycopg.connect(address) as connection:
            kept = str(connection.execute("SELECT name, definition, secret FROM connections").fetchall()).encode()
    else:
        kept = b"".join(path.read_bytes() for path in Path(address).parent.iterdir())
    assert b"contoso.crm.example" in kept
    assert b"of no use" not in kept


def test_no_secret_and_no_key_shows_in_a_representation_or_an_error(
    address: str, opener: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    store = opener(address)
    with store.begin() as unit:
        unit.put_connection(DATAVERSE)
        shown = [repr(store), repr(unit), repr(unit.__dict__)]
    with pytest.raises(StoreError) as caught, opener(address, make_key()).begin() as unit:
        unit.connections()
    shown += [str(caught.value), repr(caught.value.__cause__), caplog.text, repr(DATAVERSE)]
    for text in shown:
        assert "of no use" not in text
        assert KEY.decode() not in text


def test_a_lost_key_is_told_with_what_to_do_and_stops_nothing_else(address: str, opener: Opener) -> None:
    with opener(address).begin() as unit:
        unit.put_connection(DATAVERSE)
        unit.put_connection(LOCAL)
    store = opener(address, make_key())
    with store.begin() as unit:
        with pytest.raises(StoreError, match=r"secret of connection 'dataverse' cannot be read.*not the one") as caught:
            unit.connections()
        assert "enter the secret again" in str(caught.value)
        assert [each.name for each in unit.connections(with_secrets=False)] == ["business-central", "dataverse"]
        unit.put_connection(DATAVERSE)
        assert unit.connections() == [LOCAL, DATAVERSE]


def test_a_new_key_above_the_old_one_reads_old_secrets_and_encrypts_new_ones(address: str, opener: Opener) -> None:
    with opener(address).begin() as unit:
        unit.put_connection(DATAVERSE)
    new = make_key()
    with opener(address, new + KEY + b"\n").begin() as unit:
        assert unit.connections() == [DATAVERSE]
        unit.put_connection(DATAVERSE)
    with opener(address, new).begin() as unit:
        assert unit.connections() == [DATAVERSE]


def test_a_file_has_its_key_beside_it_made_by_the_first_secret(tmp_path: Path, opener: Opener) -> None:
    store = opener(tmp_path / "store.db", None)
    with store.begin() as unit:
        unit.put_connection(LOCAL)
        assert not (tmp_path / "key").exists()
        unit.put_connection(DATAVERSE)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    with opener(tmp_path / "store.db", None).begin() as unit:
        assert unit.connections() == [LOCAL, DATAVERSE]
    (tmp_path / "key").unlink()
    with (
        opener(tmp_path / "store.db", None).begin() as unit,
        pytest.raises(StoreError, match=f"as a line of {tmp_path}/key"),
    ):
        unit.connections()


def test_a_server_without_a_key_keeps_all_but_secrets(fresh_postgres: str, opener: Opener) -> None:
    with opener(fresh_postgres, None).begin() as unit:
        unit.put_connection(LOCAL)
        with pytest.raises(StoreError, match="opened without a key"):
            unit.put_connection(DATAVERSE)
        assert unit.connections() == [LOCAL]


def test_a_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "home" / "key"
    key = load_or_make_key(path)
    assert load_or_make_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(path.parent) == ["key"]


def test_many_who_make_a_key_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(load_or_make_key, [tmp_path / "key"] * 32))
    assert len(keys) == 1
    assert os.listdir(tmp_path) == ["key"]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"not a key", KEY + b"\nshort\n", b"\xff" * 44])
def test_a_file_that_is_no_key_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(StoreError, match=f"key file {tmp_path}/key holds no key"):
        load_or_make_key(tmp_path / "key")


def test_a_key_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"file/key cannot be read or made: .*permissions"):
        load_or_make_key(tmp_path / "file" / "key")


@pytest.mark.parametrize(
    ("table", "call"), [("mappings", "mappings"), ("connections", "connections")], ids=["mapping", "connection"]
)
def test_a_definition_that_no_longer_fits_is_named(address: str, opener: Opener, table: str, call: str) -> None:
    store = opener(address)
    _run(address, f"INSERT INTO {table} (name, definition) VALUES ('OLD', '{{\"name\": 1}}')")
    with store.begin() as unit, pytest.raises(StoreError, match="OLD cannot be read"):
        getattr(unit, call)()


def _run(address: str, statement: str) -> None:
    if "://" in address:
        with psycopg.connect(make_url(address).render_as_string(hide_password=False)) as connection:
            connection.execute(statement)
        return
    import sqlite3

    with sqlite3.connect(address) as file:
        file.execute(statement)
    file.close()


def test_a_secret_is_kept_encrypted_and_out_of_the_settings(store: Store) -> None:
    with store.begin() as unit:
        unit.put_setting("plain", "seen")
        unit.put_secret("draft", "hush")
        assert unit.secret("draft") == "hush"
        assert unit.settings() == {"plain": "seen"}
    with store.begin() as unit:
        unit.put_secret("draft", None)
        unit.remove_setting("plain")
        assert (unit.secret("draft"), unit.settings()) == (None, {})
