"""Crosstie couples records in two business systems and keeps them in step."""
