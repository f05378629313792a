"""What a use case leaves as it is, record by record, each with the reason and the next step."""

import msgspec


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """A record that was asked for and left as it is. `code` is that of an error or of a cause; both have pages."""

    mapping: str
    local_id: str | None
    remote_id: str | None
    name: str
    code: str
    words: str
    next_step: str = ""
