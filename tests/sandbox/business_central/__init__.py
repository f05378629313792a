"""The Business Central sandbox, mostly through ``handle()``, a few times over sockets."""
