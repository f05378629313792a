"""The command line over use cases that answer as they are told to."""
