"""One Alertmanager of two is killed: every incident is told, and told once."""

from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from tests.acceptance.cluster import Cluster, Told, killed_after_notifying, running_cluster

pytestmark = [pytest.mark.servers, pytest.mark.slow]

INCIDENTS = ("one", "two")


# `make prove PART=availability` runs each scenario with each generation, with more incidents.
@pytest.mark.parametrize(("generation", "scenario"), [("newer_servers", killed_after_notifying)])
def test_each_incident_is_told_once(
    generation: str,
    scenario: Callable[[Cluster, Collection[str]], Told],
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    with running_cluster(request.getfixturevalue(generation), tmp_path) as cluster:
        told = scenario(cluster, INCIDENTS)
    once = dict.fromkeys(INCIDENTS, 1)
    assert (dict(told.firing), dict(told.resolved)) == (once, once)
