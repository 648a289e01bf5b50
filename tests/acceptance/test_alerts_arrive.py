"""From the rendered configuration to those who are to be told: every alert fires, arrives and resolves, in one run."""

from collections import defaultdict
from pathlib import Path

import pytest

from tests.incidents import FIRING, PHASES, RECEIVERS, run_incidents

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.long_proof]


def test_every_alert_arrives_where_it_should_and_resolves(each_generation: Path, tmp_path: Path) -> None:
    run = run_incidents(each_generation, tmp_path, newer="newer" in each_generation.name)
    assert {journey.alert for journey in run.journeys} == frozenset().union(*PHASES)
    assert run.rendered == frozenset().union(*RECEIVERS.values())
    assert run.rendered - {journey.alert for journey in run.journeys} == {"Watchdog"}
    told = defaultdict(set)
    for notice in run.notices:
        told[notice.receiver].add(notice.alert)
    assert told == RECEIVERS
    alive = [notice.at for notice in run.notices if notice.alert == "Watchdog" and notice.status == FIRING]
    assert len(alive) >= 4
