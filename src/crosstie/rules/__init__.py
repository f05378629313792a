"""What is special about a table, as rules with a narrow interface."""
