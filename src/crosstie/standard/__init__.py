"""The standard mappings as data files, and their loader.

Each file in `mappings` is one integration table mapping between Business Central and Dataverse, restated from the
defaults of the original. May import `model` only.
"""

from crosstie.standard.loading import load_standard, standard_names

__all__ = ["load_standard", "standard_names"]
