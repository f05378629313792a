"""`python -m crosstie.cli` is `crosstie`."""

from crosstie.cli import main

main()
