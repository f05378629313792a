"""Systems: what holds records. `base` is the contract that every one fulfils and the only part the engine knows.

May import `model` only.
"""
