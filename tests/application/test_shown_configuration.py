"""What `facemon config show` prints means the same as the configuration that it shows."""

from pathlib import Path
from typing import Any

import pytest

from facemon.application.shown_configuration import show_configuration
from facemon.config.alerts import BUILT_IN, DEFAULT_ALERTS
from facemon.config.document import Config
from facemon.config.loader import parse_config
from facemon.config.yaml_text import flow_text, plain_value, without_unset
from facemon.render.purpose import fitted
from tests.render.configurations import CONFIGURATIONS
from tests.render.random_configurations import sampled

TEXTS = {**CONFIGURATIONS, **{f"random {number}": text for number, text in enumerate(sampled(20, seed=9))}}


def without_alerts(config: Config) -> dict[str, Any]:
    """The sections without secrets, which are not shown; alerts are compared by what is in force."""
    plain = plain_value(config.model_copy(update={"alerts": parse_config("", name="f", directory=Path()).alerts}))
    del plain["stack"]["secrets_dir"]  # it may be a secret, by its name
    return {key: value for key, value in plain.items() if "_file" not in str(without_unset(value))}


@pytest.mark.parametrize("name", TEXTS)
def test_it_reads_back_as_the_same_values(tmp_path: Path, name: str) -> None:
    (tmp_path / "facemon.yaml").write_text(TEXTS[name], encoding="utf-8")
    config = parse_config(TEXTS[name], name="facemon.yaml", directory=tmp_path)
    shown = show_configuration(config)
    for text in (flow_text(shown.value), shown.yaml(with_origins=False), shown.yaml(with_origins=True)):
        read = parse_config(text.replace("<hidden>", "/hidden"), name="facemon.yaml", directory=tmp_path)
        expected = fitted(config, Path())
        found, wanted = without_alerts(read), without_alerts(expected)
        assert {key: found[key] for key in wanted} == wanted
        for alert in BUILT_IN:
            assert read.alerts.severity(alert) == expected.alerts.severity(alert)
            assert read.alerts.of(alert).enabled == expected.alerts.of(alert).enabled
            if DEFAULT_ALERTS[alert].held is not None:
                assert read.alerts.held(alert) == expected.alerts.held(alert)


def test_each_value_has_one_origin(tmp_path: Path) -> None:
    text = CONFIGURATIONS[max(CONFIGURATIONS, key=lambda name: len(CONFIGURATIONS[name]))]
    (tmp_path / "facemon.yaml").write_text(text, encoding="utf-8")
    shown = show_configuration(parse_config(text, name="facemon.yaml", directory=tmp_path))
    origins = shown.document(with_origins=True)["origins"]
    assert len(origins) > 200
    lines = {origin.removeprefix("facemon.yaml:") for origin in origins.values()}
    assert lines - {"default", "stack.for"} <= {str(number) for number in range(1, text.count("\n") + 1)}
    assert len(lines) > 10
