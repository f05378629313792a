"""Our own database: couplings with their base, intents, jobs, journal, problems, cursors, mappings and connections.

`base` is the interface that the engine sees. May import `model` only.
"""
