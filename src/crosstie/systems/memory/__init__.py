"""A system in memory: for tests of everything that stands on systems, and for trying mappings out.

May import `model` and the shared modules of `systems`.
"""

from crosstie.systems.memory.faults import Fault, FaultKind, Faults
from crosstie.systems.memory.system import MemorySystem, Ticks
from crosstie.systems.memory.table import Refusal

__all__ = ["Fault", "FaultKind", "Faults", "MemorySystem", "Refusal", "Ticks"]
