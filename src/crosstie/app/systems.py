"""Which class serves which kind of system."""

from crosstie.model.connections import Connection, SystemKind
from crosstie.model.errors import InvalidConnection
from crosstie.systems.base import System


def open_system(connection: Connection) -> System:
    """Return the system of a connection; nothing is sent before it is used.

    Raises InvalidConnection if the connection lacks what its kind needs.
    """
    match connection.kind:
        case SystemKind.BUSINESS_CENTRAL:
            from crosstie.systems.business_central import BusinessCentral

            return BusinessCentral(connection)
        case SystemKind.DATAVERSE:
            from crosstie.systems.dataverse import Dataverse

            return Dataverse(connection)
        case _:
            raise InvalidConnection(f"Connection {connection.name}: kind {connection.kind.value!r} cannot be reached.")
