"""One suite for every system: what `systems.base.System` promises, tried on each of them."""
