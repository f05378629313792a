"""One module a revision, named by its number. Each stands alone: it must not import `crosstie.store.schema`."""
