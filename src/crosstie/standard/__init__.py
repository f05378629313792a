"""The standard mappings as data files, and their loader."""
