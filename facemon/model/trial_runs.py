"""Trial runs of a graph in another process.

For some sizes that a network was not made for onnxruntime ends its process, for example by a division by zero in a
pooling layer that nothing is left for.
"""

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from facemon.errors import FacemonError
from facemon.forked_process import ForkedProcess, ProcessEnded
from facemon.model.graph import FAILED, Graph, Numbers


class TrialRuns:
    """Runs the graph on batches to see whether it fails; in a `with` statement."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._process: ForkedProcess | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def failure(self, batch: Numbers) -> str | None:
        """Why the graph fails on a batch for its first input; none where it does not."""
        if self._process is None:
            self._process = ForkedProcess(self._answering)
        try:
            return str(error) if (error := self._process.ask(batch)) else None
        except ProcessEnded:
            self._end()
            return "onnxruntime ended its process"

    def _end(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process.join()
            self._process = None

    @contextmanager
    def _answering(self) -> Iterator[Callable[[Any], str | None]]:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash is expected, and its memory of no interest
        yield self._failure

    def _failure(self, batch: Numbers) -> str | None:
        try:
            self._graph.run_plainly(self._graph.inputs[0].name, batch, None)
        except FacemonError as error:
            return error.message.partition(FAILED)[2] or error.message
        return None
