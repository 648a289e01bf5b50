"""The doctor asks Prometheus for jobs and labels by their names, whatever characters are in these."""

from pathlib import Path

import pytest

from tests.conftest import RunFacemon
from tests.doctor.changed_stack import samples_dropped
from tests.doctor.running import CONFIGURATION, running

pytestmark = [pytest.mark.slow, pytest.mark.servers]
ODD = r"""
  job_names: {{exporter: 'faces(c++)|"\'}}
  target_labels: {{team: 'a "b" \'}}
"""


def test_names_are_no_patterns_and_end_no_query(facemon: RunFacemon, servers: Path, healthy: Path) -> None:
    configuration = CONFIGURATION.replace("  jobs: [exporter]\n", f"  jobs: [exporter]{ODD}")
    with running(facemon, servers, healthy, configuration=configuration) as stack:
        assert stack.diagnosis()["findings"] == []
        with samples_dropped(stack):
            (found,) = [each for each in stack.diagnosis()["findings"] if each["area"] == "metrics in Prometheus"]
            assert "metric_relabel_configs drop" in found["evidence"], found
