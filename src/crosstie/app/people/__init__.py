"""People and tokens: the use cases of coming in, of who may do what, and of the audit log.

`acting` has what all of them share. They are plain functions that may wait for the store, and for a tenth of a second
where a password is hashed: a server calls them in a thread. Imports `model` and `store.base` only.
"""
