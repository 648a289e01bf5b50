"""Where things lie in a store's folder."""

LEDGER_NAME = "ledger.sqlite"
FOLDERS = ("segments", "references", "reports", "locks")
WORK = "recovering"
"""What a recovery makes before it replaces the ledger."""
