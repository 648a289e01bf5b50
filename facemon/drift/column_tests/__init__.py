"""How the rows of each kind of column are compared."""
