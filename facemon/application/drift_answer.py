"""What a drift check returns."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from facemon.application.compared_sides import ComparedSide
from facemon.application.drift_question import DriftQuestion
from facemon.domain.column_shape import ColumnShape
from facemon.domain.drift_result import Check, CheckResult, DriftResult
from facemon.errors import ExitCode

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facemon.domain.explanation import Explanation
    from facemon.drift.sample import Sample

_NO_SOURCES_NOTE = (
    "No row names its source, so there is none to judge by itself: facemon predict --source NAME names the camera, in "
    "a table the column of tables.source."
)


@dataclass(frozen=True, slots=True)
class DriftAnswer:
    """The result, how the command is to end, and what the distributions can be drawn from."""

    question: DriftQuestion
    result: DriftResult
    normal: ComparedSide
    latest: ComparedSide
    edges: "Mapping[str, NDArray[np.float64]]"
    look: str | None
    """Why the result was not recorded; None where it was."""
    evidently_page: str | None = None
    """The name of Evidently's page in the store's reports, where one was written."""
    earlier: tuple[DriftResult, ...] = ()
    """The recorded checks of the last 30 days that a page shows with this one, oldest first."""
    decided: ExitCode = ExitCode.FAILED
    """The exit code before `exit_zero`."""
    code: ExitCode = ExitCode.FAILED
    """The exit code after it."""

    @property
    def told(self) -> DriftResult:
        """The result as far as it was asked for: sources that changed nothing only where all were."""
        if not self.question.by_source:
            return self.result.in_short(telling=True)
        if {*self.normal.sample.by_source, *self.latest.sample.by_source} <= {None}:
            return replace(self.result, notes=(*self.result.notes, _NO_SOURCES_NOTE))
        return self.result

    def shapes(self) -> Mapping[tuple[Check, str], ColumnShape]:
        """Both distributions of every column."""
        from facemon.drift.column_shapes import column_shapes

        own: dict[Check, CheckResult] = {
            check: outcome for check, outcome in self.result.checks.items() if check.is_own
        }
        return column_shapes(own, self.normal.sample, self.latest.sample, self.edges, self._windows)

    def explain(self, name: str) -> "list[Explanation]":
        """Why the columns of a name got their verdicts; UsageError where there is none."""
        from facemon.drift.explanations import explain, refuse_unknown_column

        refuse_unknown_column([self.result], name)
        sides = (self.normal.sample, self.latest.sample)
        return explain(
            self.result, name, *sides, settings=self.question.settings, edges=self.edges, windows=self._windows
        )

    @property
    def _windows(self) -> "Mapping[str, Sample]":
        ladder = self.latest.ladder
        return {} if ladder is None else {each.rung.name: each.sample for each in ladder.windows}
