"""The revisions of the store's tables, one file each, run by `crosstie.store.migrating`. A revision never changes."""
