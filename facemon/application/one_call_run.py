"""The run in the log that one call from Python has for itself."""

from typing import TYPE_CHECKING, Any

from facemon.application.operation import Operation

if TYPE_CHECKING:
    from facemon.store.ledger.protocol import Ledger
    from facemon.store.run_state import RunIdentity


class OneCallRun:
    """A run of its own for one call, in a ledger that is this call's alone."""

    def __init__(self, operation: Operation, identity: "RunIdentity") -> None:
        self._operation = operation
        self._identity = identity

    def __enter__(self) -> "tuple[Ledger, Any]":
        from facemon.application.changed_model import warn_of_changed_model
        from facemon.store.runs import begin_run

        self._ledger = self._operation.open_ledger(create=True)
        try:
            warn_of_changed_model(self._operation, self._ledger, self._identity.fingerprint)
            self._run = begin_run(self._ledger, self._identity, self._ledger.now())
        except BaseException:
            self._ledger.close()
            raise
        return self._ledger, self._run

    def __exit__(self, *_: object) -> None:
        from facemon.store.runs import finish_run

        try:
            # Finished whatever happened: a call cannot be resumed.
            with self._run:
                finish_run(self._ledger, self._run, self._ledger.now())
        finally:
            self._ledger.close()
