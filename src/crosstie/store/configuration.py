"""The queries on mappings, connections and settings. The secrets of connections are encrypted on the way in."""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Table, delete, select

from crosstie.model.connections import Connection
from crosstie.model.mappings import Mapping as TableMapping
from crosstie.store.codec import decode_definition, encode
from crosstie.store.keys import Secrets
from crosstie.store.queries import Queries
from crosstie.store.schema import connections, mappings, settings
from crosstie.store.work import Work

_SECRET = "secret:"
"""What the names of settings begin with whose values are encrypted."""


class ConfigurationQueries(Queries):
    """The mappings', connections' and settings' part of a unit."""

    def __init__(self, work: Work, secrets: Secrets) -> None:
        super().__init__(work)
        self._secrets = secrets

    def mappings(self) -> list[TableMapping]:
        rows = self._work.read(select(mappings.c.name, mappings.c.definition))
        found = [decode_definition(definition, TableMapping, f"mapping {name}") for name, definition in rows]
        return sorted(found, key=lambda mapping: (mapping.order, mapping.name))

    def put_mapping(self, mapping: TableMapping) -> None:
        self._put_named(mappings, {"name": mapping.name, "definition": encode(mapping)})

    def remove_mapping(self, name: str) -> None:
        self._work.write(delete(mappings).where(mappings.c.name == name))

    def connections(self, *, with_secrets: bool = True) -> list[Connection]:
        query = select(connections.c.name, connections.c.definition, connections.c.secret).order_by(connections.c.name)
        found = []
        for name, definition, stored in self._work.read(query):
            connection = decode_definition(definition, Connection, f"connection {name}")
            if stored is not None and with_secrets:
                connection = msgspec.structs.replace(connection, secret=self._secrets.decrypt(stored, name))
            found.append(connection)
        return found

    def put_connection(self, connection: Connection) -> None:
        secret = self._secrets.encrypt(connection.secret) if connection.secret else None
        definition = encode(msgspec.structs.replace(connection, secret=""))
        self._put_named(connections, {"name": connection.name, "definition": definition, "secret": secret})

    def remove_connection(self, name: str) -> None:
        self._work.write(delete(connections).where(connections.c.name == name))

    def settings(self) -> Mapping[str, str]:
        rows = self._work.read(select(settings.c.name, settings.c.value))
        return {row.name: row.value for row in rows if not row.name.startswith(_SECRET)}

    def put_setting(self, name: str, value: str) -> None:
        self._put_named(settings, {"name": name, "value": value})

    def remove_setting(self, name: str) -> None:
        self._work.write(delete(settings).where(settings.c.name == name))

    def secret(self, name: str) -> str | None:
        rows = self._work.read(select(settings.c.value).where(settings.c.name == _SECRET + name))
        return self._secrets.decrypt(rows[0].value, name) if rows else None

    def put_secret(self, name: str, value: str | None) -> None:
        if value is None:
            self.remove_setting(_SECRET + name)
        else:
            self._put_named(settings, {"name": _SECRET + name, "value": self._secrets.encrypt(value)})

    def _put_named(self, table: Table, row: dict[str, Any]) -> None:
        changed = {column: value for column, value in row.items() if column != "name"}
        insert = self._work.upsert(table).values(row)
        self._work.write(insert.on_conflict_do_update(index_elements=[table.c.name], set_=changed))
