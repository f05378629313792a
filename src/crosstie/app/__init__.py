"""The use cases that people invoke, one function each. The composition root: only here concrete systems are known."""
