"""A real store whose newest checks, evaluations and runs are recorded as an event wants them."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from facemon.domain.drift_result import (
    Check,
    CheckResult,
    ColumnResult,
    DriftResult,
    Side,
    SourceResult,
    Verdict,
    overall,
)
from facemon.errors import ExitCode
from facemon.store.drift_results import record_drift
from facemon.store.evaluations import record_accuracy
from facemon.store.ledger.opening import open_ledger
from facemon.store.recorded_commands import record_command
from tests.store.log_rows import MODEL, log_images

_ROWS = 900
_COMMANDS = ("predict", "reference", "drift-check", "evaluate", "export-metrics")
_DATA_COLUMNS = ("image_brightness", "image_contrast", "image_sharpness")
_LABELS = 500


class WatchedStore:
    """The store of a folder: 100 logged images, each command run once, and nothing wrong."""

    def __init__(self, folder: Path, attributes: Collection[str], cameras: Collection[str]) -> None:
        self._path = folder / ".facemon"
        self._away = folder / ".facemon.away"
        self._attributes, self._cameras = tuple(attributes), tuple(cameras)
        with open_ledger(self._path, create=True) as ledger:
            log_images(ledger, 100)
            for command in _COMMANDS:
                record_command(ledger, command, datetime.now(UTC), 1.0, ExitCode.OK)
        self.evaluate(0.95)
        self.check()

    def check(
        self,
        *,
        drifted: bool = False,
        dark: str | None = None,
        silent: str | None = None,
        age: timedelta = timedelta(0),
    ) -> None:
        """Record a check of record that ran `age` ago: all attributes drifted, one camera dark, or one silent."""
        model = _outcome(self._attributes, Verdict.DRIFT if drifted else Verdict.OK)
        checks = {Check.MODEL: model, Check.DATA: _outcome(_DATA_COLUMNS, Verdict.OK)}
        sources = tuple(_source(name, is_dark=name == dark, is_silent=name == silent) for name in self._cameras)
        at = datetime.now(UTC) - age
        verdict = overall([*(each.verdict for each in checks.values()), *(each.verdict for each in sources)])
        with open_ledger(self._path) as ledger:
            record_drift(
                ledger, DriftResult(verdict, at, Side(_ROWS), Side(_ROWS), checks, model=MODEL, sources=sources)
            )
            record_command(ledger, "drift-check", at, 1.0, ExitCode.OK)

    def evaluate(self, share: float) -> None:
        """Record an evaluation in which so many of each attribute were right."""
        counts = {name: (round(_LABELS * share), _LABELS) for name in self._attributes}
        with open_ledger(self._path) as ledger:
            record_accuracy(ledger, MODEL, datetime.now(UTC), counts, ())
            record_command(ledger, "evaluate", datetime.now(UTC), 1.0, ExitCode.OK)

    def ran(self, command: str, age: timedelta = timedelta(0)) -> None:
        """Record that a command ended well so long ago."""
        with open_ledger(self._path) as ledger:
            record_command(ledger, command, datetime.now(UTC) - age, 1.0, ExitCode.OK)

    def vanish(self) -> None:
        """Take the whole store away, as a disk that is not mounted does."""
        self._path.rename(self._away)

    def return_(self) -> None:
        """Bring it back as it was."""
        self._away.rename(self._path)


def _outcome(names: Collection[str], verdict: Verdict) -> CheckResult:
    score, p_value = (0.4, 1e-6) if verdict is Verdict.DRIFT else (0.01, 0.9)
    columns = tuple(
        ColumnResult(
            name, "categorical", verdict, score=score, p_value=p_value, p_adjusted=p_value, n_reference=_ROWS,
            n_current=_ROWS, attribute=name,
        )
        for name in names
    )  # fmt: skip
    return CheckResult(verdict, 0.2, columns)


def _source(name: str, *, is_dark: bool, is_silent: bool) -> SourceResult:
    verdict = Verdict.DRIFT if is_dark else Verdict.UNDECIDED if is_silent else Verdict.OK
    found: Mapping[Check, CheckResult] = {
        Check.MODEL: _outcome(("gender",), Verdict.UNDECIDED if is_silent else Verdict.OK),
        Check.DATA: _outcome(_DATA_COLUMNS, verdict),
    }
    return SourceResult(name, verdict, _ROWS, 0 if is_silent else _ROWS, found)
