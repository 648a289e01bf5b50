"""Whose gauges are exported: the configured model's, and those of every other model that is still being looked after.

A gauge of a model that was replaced would otherwise fire forever. What is left out stays in the ledger, and is there
again with the model's next check, evaluation or prediction. Ages are measured from the newest check or evaluation, not
from now: where nothing runs any more, nothing vanishes.
"""

from collections.abc import Mapping
from datetime import timedelta

from facemon.store.accuracy import Accuracy
from facemon.store.ledger.protocol import Ledger

_CHECK_AGE = timedelta(days=14)
"""How much older than the newest check of record another model's may be: a weekly check may be missed once."""
_EVALUATION_AGE = timedelta(days=45)
"""The same of evaluations, of models and of one model's attributes: their labels often come in the same month, not on
the same day."""
_IDLE_AGE = timedelta(days=2)
"""How long before the newest check of record another model's last run may have ended: its checks are due that long."""
_MICROSECOND = timedelta(microseconds=1)


def checked_models(ledger: Ledger, own: str) -> frozenset[str]:
    """The models whose drift is exported; `own` is the configured one."""
    return _recent(ledger.checks.newest(), _CHECK_AGE, own)


def evaluated_models(ledger: Ledger, own: str) -> frozenset[str]:
    """The models whose accuracy is exported; `own` is the configured one."""
    return _recent(ledger.evaluations.newest(), _EVALUATION_AGE, own)


def accuracies(ledger: Ledger, model: str, min_labels: int) -> list[Accuracy]:
    """The accuracies of a model that are exported: not those much older than its newest evaluation."""
    return ledger.evaluations.accuracy(model, min_labels, _EVALUATION_AGE // _MICROSECOND)


def idle_models(ledger: Ledger, own: str) -> frozenset[str]:
    """The models that predict no more, so that no check of them is due; never `own`, the configured one."""
    newest_check = max(ledger.checks.newest().values(), default=None)
    if newest_check is None:
        return frozenset()
    since = newest_check - _IDLE_AGE // _MICROSECOND
    return frozenset(model for model, end in ledger.runs.last_ends().items() if end < since) - {own}


def _recent(times: Mapping[str, int], age: timedelta, own: str) -> frozenset[str]:
    since = max(times.values(), default=0) - age // _MICROSECOND
    return frozenset({own, *(model for model, at in times.items() if at >= since)})
