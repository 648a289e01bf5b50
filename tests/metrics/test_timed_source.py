"""Sources that end late: what they had yielded until then is never taken for all that they have."""

import threading
from collections.abc import Iterator

import pytest
from prometheus_client.core import GaugeMetricFamily, Metric

from facemon.metrics.timed_source import SourceFault, TimedSource
from tests.patience import wait_until


def test_a_call_that_was_given_up_is_no_answer_to_the_next_scrape() -> None:
    goes_on = threading.Event()

    def collect() -> Iterator[Metric]:
        yield GaugeMetricFamily("first", "Of two.", value=1)
        goes_on.wait()
        yield GaugeMetricFamily("second", "Of two.", value=1)
        yield GaugeMetricFamily("third", "Of two.", value=1)

    source = TimedSource("halting", collect)
    with pytest.raises(SourceFault, match=r"did not end within 0\.01 s"):
        source.begin().families(0.01)
    call = source.begin()
    goes_on.set()
    wait_until(lambda: call.is_over, "the end of the call")
    with pytest.raises(SourceFault, match=r"did not end within 0\.01 s"):
        call.families(0.01)
    assert [family.name for family in source.begin().families(60)] == ["first", "second", "third"]
