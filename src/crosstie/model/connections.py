"""Connections: how to reach a system."""

from enum import StrEnum
from typing import Any

import msgspec


class SystemKind(StrEnum):
    BUSINESS_CENTRAL = "business_central"
    DATAVERSE = "dataverse"
    MEMORY = "memory"


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """A stored connection. `secret` is in clear only in memory; the store keeps it encrypted."""

    name: str
    kind: SystemKind
    address: str
    """Root of the API, for example https://host/v2.0/environment/api/v2.0."""
    tenant_id: str = ""
    client_id: str = ""
    secret: str = ""
    token_url: str = ""
    settings: dict[str, Any] = {}
    """What is special about the kind: company id, custom API routes, CA file, pages' address."""
    environment: str = ""
    """Identity of what answered when the connection was made; a change stops everything."""
    enabled: bool = True
    paused_reason: str = ""
    """Why nothing runs by itself over an enabled connection, or why a person disabled it."""

    @property
    def paused(self) -> bool:
        """Whether the connection has paused itself: it resumes when its test passes."""
        return self.enabled and bool(self.paused_reason)

    def __repr__(self) -> str:
        """Leaves the secret out, so that it gets into no log and no traceback."""
        return f"Connection(name={self.name!r}, kind={self.kind.value!r}, address={self.address!r})"
