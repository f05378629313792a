"""Figures: what the product costs, beside the floor under it, measured side by side in one run.

`python -m benchmarks [NAME...] [--quick] [--json] [--write]`. Each measurement runs in a process of its own, so that
time and memory are its own. Ratios count more than seconds, which are those of the machine.
"""
