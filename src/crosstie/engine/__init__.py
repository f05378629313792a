"""The flow of a job: changes, pairing, transfer, decision, planning, applying, recording, with matching and uncoupling.


Knows systems only by their contract and the store only by its interface. Decisions are pure functions.
"""
