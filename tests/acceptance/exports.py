"""What an export said, and what the ledger says of it."""

from collections.abc import Mapping
from http.client import HTTPConnection
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from facemon.store.command_run import CommandRun
from facemon.store.ledger.opening import open_ledger
from tests.patience import HANG_S


def scrape(url: str) -> str:
    host = url.removeprefix("http://")
    connection = HTTPConnection(host, timeout=HANG_S)
    connection.request("GET", "/metrics")
    try:
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def values_of(text: str) -> dict[tuple[str, ...], float]:
    return {
        (s.name, *s.labels.values()): s.value for family in text_string_to_metric_families(text) for s in family.samples
    }


def own_runs(values: Mapping[tuple[str, ...], float]) -> dict[str, float]:
    """What is told of export-metrics itself."""
    return {key[0]: value for key, value in values.items() if key[1:] == ("export-metrics",)}


def entered_runs(folder: Path) -> list[CommandRun]:
    with open_ledger(folder / ".facemon") as ledger:
        return [run for run in ledger.commands.all() if run.command == "export-metrics"]
