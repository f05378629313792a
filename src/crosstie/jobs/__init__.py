"""When things run: who runs a job, and whether that process still lives.

May import `model`, `store`, `systems`, `engine`, `rules` and `standard`; knows no concrete system.
"""
