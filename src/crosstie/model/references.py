"""References: whose coupling the transfer of a record needs."""

import msgspec

from crosstie.model.records import Side


class Reference(msgspec.Struct, frozen=True):
    """A record of another mapping that a field refers to, by its id or its key on one side."""

    mapping: str
    side: Side
    by_key: bool
    value: str
