"""The prediction log: immutable segments, and a ledger that says which of them count."""
