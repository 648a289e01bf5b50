"""The rule of what is of record, option by option: an option that repeats the configuration makes no difference."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from facemon.config.document import Config
from facemon.config.drift import DriftConfig, ThresholdConfig
from facemon.config.loader import parse_config
from facemon.domain.drift_result import Check
from facemon.drift.check_of_record import AskedCheck, differences

NOW = datetime(2026, 11, 28, 2, tzinfo=UTC)
DAY = timedelta(days=1)
BOTH = frozenset({Check.DATA, Check.MODEL})


def config_of(drift: str = "{}") -> Config:
    text = f"version: 1\nmodel: {{bundle: age-gender}}\ndrift: {drift}\n"
    return parse_config(text, name="facemon.yaml", directory=Path("/srv"))


CONFIG, NAMED = config_of(), config_of("{reference: spring}")


def asked(config: Config = CONFIG, **changes: Any) -> AskedCheck:
    """What `facemon drift-check` asks without any option, apart from the changes."""
    window = (NOW - config.drift.window, NOW)
    return replace(AskedCheck(BOTH, config.model.id, config.drift, NOW, window), **changes)


def limits(**changes: Any) -> DriftConfig:
    return CONFIG.drift.model_copy(update=changes)


LOOSE = ThresholdConfig(threshold=0.3)
SAME = ThresholdConfig(threshold=CONFIG.drift.data.threshold)

OF_RECORD: dict[str, dict[str, Any]] = {
    "no option": {},
    "--check data": {"checks": frozenset({Check.DATA})},
    "--check model": {"checks": frozenset({Check.MODEL})},
    "--check evidently": {"checks": frozenset({Check.EVIDENTLY})},
    "--since 24h": {"window": (NOW - timedelta(hours=24), NOW)},
    "--reference the newest": {"reference": "newest"},
    "--model the configured": {"model": CONFIG.model.id},
    "--min-rows 200": {"settings": limits(min_rows=200)},
    "--data-threshold 0.1": {"settings": limits(data=SAME)},
    "--check model --data-threshold 0.3": {"checks": frozenset({Check.MODEL}), "settings": limits(data=LOOSE)},
    "--check data --model-threshold 0.3": {"checks": frozenset({Check.DATA}), "settings": limits(model=LOOSE)},
}
LOOKS: dict[str, tuple[dict[str, Any], str]] = {
    "--current FILE": ({"window": None}, "the current rows are not from the log"),
    "--reference FILE": ({"reference": Path("newest")}, "--reference is not the newest reference"),
    "--reference older": ({"reference": "older"}, "--reference is not the newest reference"),
    "--since 48h": ({"window": (NOW - 2 * DAY, NOW)}, "--since differs from drift.window"),
    "--since 23h59m": ({"window": (NOW - DAY + timedelta(minutes=1), NOW)}, "--since differs from drift.window"),
    "--until yesterday": ({"window": (NOW - 2 * DAY, NOW - DAY)}, "--until is not the present"),
    "--until tomorrow": ({"window": (NOW, NOW + DAY)}, "--until is not the present"),
    "--source hall": ({"source": "hall"}, "--source leaves out the rows of other sources"),
    "--source of nameless rows": ({"source": ""}, "--source leaves out the rows of other sources"),
    "--model other@2": ({"model": "other@2"}, "--model differs from the configured model"),
    "--min-rows 199": ({"settings": limits(min_rows=199)}, "--min-rows differs from drift.min_rows"),
    "--data-threshold 0.3": ({"settings": limits(data=LOOSE)}, "--data-threshold differs from drift.data.threshold"),
    "--model-threshold 0.3": ({"settings": limits(model=LOOSE)}, "--model-threshold differs from drift.model"),
}


@pytest.mark.parametrize("option", OF_RECORD)
def test_what_is_of_record(option: str) -> None:
    assert differences(asked(**OF_RECORD[option]), CONFIG, "newest") == ()


@pytest.mark.parametrize("option", LOOKS)
def test_what_is_a_look_and_why(option: str) -> None:
    changes, reason = LOOKS[option]
    (found,) = differences(asked(**changes), CONFIG, "newest")
    assert found.startswith(reason)


def test_a_configured_reference_is_the_usual_one() -> None:
    assert differences(asked(NAMED, reference="spring"), NAMED, "spring") == ()
    assert differences(asked(NAMED, reference="newest"), NAMED, "spring") == (
        "--reference differs from drift.reference",
    )
    # The configured one is not there: one that is named is another.
    assert differences(asked(NAMED, reference="newest"), NAMED, None) == ("--reference differs from drift.reference",)


def test_all_differences_are_named() -> None:
    question = asked(window=(NOW - 3 * DAY, NOW - DAY), source="hall", model="other@2")
    assert len(differences(question, CONFIG, "newest")) == 4


def test_a_wider_window_of_the_configuration_is_of_record() -> None:
    weekly = config_of("{window: 7d}")
    assert differences(asked(weekly), weekly, None) == ()
    day = asked(weekly, window=(NOW - DAY, NOW))
    assert differences(day, weekly, None) == ("--since differs from drift.window",)
