"""The families of the store's metrics, a module for each thing that the ledger keeps."""
