"""Both expositions of a store that knows every metric, judged by the parsers of others."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from facemon.domain.metric_catalogue import CATALOGUE, MetricSource
from facemon.errors import ExitCode
from facemon.metrics.exposition import exposition
from facemon.store.evaluations import record_accuracy
from facemon.store.ledger.opening import open_ledger
from facemon.store.recorded_commands import announce, record_command
from tests.metrics.stores import AT, DECIDED, DRIFT, UNDECIDED, check_model, column, registry_of
from tests.store.log_rows import MODEL, log_images

ODD = 'odd "name"\n\\ größe'


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A store that knows every metric of its own, with names that must be escaped."""
    with open_ledger(tmp_path / "store", create=True) as ledger:
        log_images(ledger, 50)
        confidence = column("gender_confidence", DECIDED, 1e-9, measure="confidence")
        check_model(
            ledger,
            column("gender", DRIFT, 0.25),
            confidence,
            column(ODD, UNDECIDED),
            sources={ODD: DRIFT, None: DECIDED},
        )
        record_accuracy(ledger, MODEL, AT, {"gender": (70, 90)}, ())
        record_command(ledger, ODD, AT, 1.0, ExitCode.OK)
        yield tmp_path / "store"


def test_openmetrics_has_the_catalogues_types_units_and_words(folder: Path) -> None:
    registry = registry_of(folder, announced=announce("export-metrics", 0.0, AT).run)
    text: str = openmetrics(registry).decode()  # type: ignore[no-untyped-call]
    families = {
        f"{family.name}_total" if family.type == "counter" else family.name: family
        for family in parse_openmetrics(text)  # type: ignore[no-untyped-call]
    }
    of_the_store = {name for name, metric in CATALOGUE.items() if metric.source is MetricSource.STORE}
    assert set(families) == of_the_store | {"facemon_build_info", "facemon_source_up"}
    for name, family in families.items():
        metric = CATALOGUE[name]
        assert (family.type, family.unit, family.documentation) == (metric.type, metric.unit, metric.help)
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(metric.labels)
    assert text.endswith("# EOF\n")
    assert "_created" not in text


def test_both_formats_hold_the_same(folder: Path) -> None:
    registry = registry_of(folder)
    text = {
        (sample.name, *sorted(sample.labels.items()), sample.value)
        for family in parse_text(exposition(registry))
        for sample in family.samples
    }
    other = {
        (sample.name, *sorted(sample.labels.items()), sample.value)
        for family in parse_openmetrics(openmetrics(registry).decode())  # type: ignore[no-untyped-call]
        for sample in family.samples
    }
    assert text == other
    assert ("facemon_last_run_duration_seconds", ("command", ODD), 1.0) in text


@pytest.mark.parametrize("metric", CATALOGUE.values(), ids=CATALOGUE)
def test_a_unit_is_the_names_ending(metric: object) -> None:
    entry = next(each for each in CATALOGUE.values() if each is metric)
    assert entry.name.removesuffix("_total").endswith(f"_{entry.unit}" if entry.unit else "")
    assert entry.help.endswith(".")
    assert entry.help == entry.help.strip()


@pytest.mark.servers
def test_promtool_complains_of_nothing(servers: Path, folder: Path) -> None:
    command = [str(servers / "usr" / "bin" / "promtool"), "check", "metrics"]
    for text, accepted in (
        (exposition(registry_of(folder)), True),
        ("# HELP wrong A counter.\n# TYPE wrong counter\nwrong 1\n", False),
    ):
        judged = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        assert (judged.returncode == 0, judged.stdout + judged.stderr == "") == (accepted, accepted), judged.stderr
