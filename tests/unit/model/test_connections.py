"""Connections do not show their secret."""

from crosstie.model.connections import Connection, SystemKind


def test_the_representation_of_a_connection_leaves_the_secret_out() -> None:
    connection = Connection(name="sales", kind=SystemKind.DATAVERSE, address="https://x.example", secret="hidden words")
    for shown in (repr(connection), str(connection), f"{[connection]}", "%r" % (connection,)):  # noqa: UP031
        assert "sales" in shown
        assert "hidden" not in shown
