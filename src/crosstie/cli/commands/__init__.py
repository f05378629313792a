"""The commands, one module a subject. A module's top level imports click and the frame, never a use case."""
