"""Business Central.

May import `model` and the shared modules of `systems`; nothing but the composition root knows it.
"""

from crosstie.systems.business_central.system import BusinessCentral

__all__ = ["BusinessCentral"]
