"""Whole use cases through both sandboxes over HTTP, with both systems read back afterwards."""
