"""Frozen values and enums: what the words of the product mean, without any I/O.

Imports nothing of the rest of the package. Everything that crosses a folder is defined here.
"""
