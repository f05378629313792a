"""Dataverse and Dynamics 365 Sales.

May import `model` and the shared modules of `systems`; nothing but the composition root knows it.
"""

from crosstie.systems.dataverse.system import Dataverse

__all__ = ["Dataverse"]
