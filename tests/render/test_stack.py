import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from facemon.config.loader import parse_config
from facemon.errors import UsageError
from facemon.render.alert_rules import alert_rules, alerts_of
from facemon.render.alertmanager_config import alertmanager_config
from facemon.render.placed_dashboards import dashboards
from facemon.render.prometheus_config import prometheus_config
from facemon.render.purpose import fitted
from facemon.render.stack import FULL_COMPOSE_FILE, Part, part_of, render_stack
from facemon.render.stack_text import HEADER, json_text, yaml_text
from tests.golden.render.regenerate import kept
from tests.read_yaml import read_yaml
from tests.render.configurations import CONFIGURATIONS, DEFAULTS, DIRECTORY, SHORTENED, config_of, stack_of

GOLDEN = Path(__file__).parent.parent / "golden" / "render"

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
contents = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=15,
)


@given(contents)
def test_yaml_parses_back_for_readers_of_both_versions(content: object) -> None:
    assert yaml.safe_load(yaml_text(content)) == content
    assert YAML(typ="safe", pure=True).load(yaml_text(content)) == content


@pytest.mark.parametrize(
    "text", ["a\x85b", "a\n\n\u2028  b", "\u2029", "1e-3", "0o7", "no", "null", "2026-11-25", "12:30"]
)
def test_yaml_says_the_same_to_readers_of_both_versions(text: str) -> None:
    rendered = yaml_text({text: [text]})
    assert read_yaml(rendered) == YAML(typ="safe", pure=True).load(rendered) == {text: [text]}


@given(contents)
def test_json_parses_back(content: object) -> None:
    assert json.loads(json_text(content)) == content
    assert json_text(content) == json.dumps(content, indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("text", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_what_is_rendered_parses_back_to_what_was_built(text: str) -> None:
    config = fitted(config_of(text), DIRECTORY)
    files = render_stack(config).files
    prometheus = "monitoring/prometheus"
    assert read_yaml(files[f"{prometheus}/prometheus.yml"]) == prometheus_config(config)
    assert read_yaml(files[f"{prometheus}/alert_rules.yml"]) == alert_rules(config)
    assert read_yaml(files["monitoring/alertmanager/alertmanager.yml"]) == alertmanager_config(config)
    for name, built in dashboards(config).items():
        assert json.loads(files[f"monitoring/grafana/dashboards/{name}"]) == built


def test_the_default_stack_is_the_golden_one() -> None:
    files = stack_of(DEFAULTS).files
    lying = {path.relative_to(GOLDEN).as_posix() for path in GOLDEN.glob("monitoring/**/*") if path.is_file()}
    golden = {*lying, FULL_COMPOSE_FILE}
    assert set(files) == golden, "python -m tests.golden.render.regenerate"
    for path, text in files.items():
        assert kept(text) == (GOLDEN / path).read_text(encoding="utf-8"), path


@pytest.mark.parametrize("text", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_the_same_configuration_gives_the_same_bytes(text: str) -> None:
    # Neither is remembered from another test, nor from the other.
    first, second = (parse_config(text, name="facemon.yaml", directory=DIRECTORY) for _ in range(2))
    assert render_stack(first) == render_stack(second)


def test_files_say_where_they_come_from() -> None:
    for path, text in stack_of(DEFAULTS).files.items():
        assert HEADER in text.split("\n", 1)[0] or path.endswith(".json"), path


def test_only_some_parts() -> None:
    everything = stack_of(SHORTENED).files
    for part in Part:
        some = stack_of(SHORTENED, part).files
        assert some == {path: text for path, text in everything.items() if part_of(path) is part}
        assert some


def test_a_file_is_found_by_its_path_or_its_name() -> None:
    stack = stack_of(DEFAULTS)
    assert stack.text_of("alert_rules.yml") == stack.text_of("monitoring/prometheus/alert_rules.yml")
    with pytest.raises(UsageError, match=r"'rules\.yml' is not a rendered file"):
        stack.text_of("rules.yml")


def test_each_alert_has_its_runbook() -> None:
    config = config_of(CONFIGURATIONS["shortened"])
    files = render_stack(config).files
    for alert in alerts_of(config):
        page = files[f"monitoring/runbooks/{alert.name}.md"]
        assert str(alert.expr) in page
        assert alert.severity in page


def test_what_was_left_out_is_said() -> None:
    notes = " ".join(stack_of("prometheus: {jobs: [exporter], replicas: 2}").notes)
    for words in ("ModelNotLoaded", "exporter:8001", "no receiver is notified", "expand-external-labels"):
        assert words in notes


def test_nothing_heavy_is_loaded() -> None:
    script = """
import sys
from pathlib import Path
from facemon.config.loader import parse_config
from facemon.render.output_tree import plan
from facemon.render.stack import render_stack
from facemon.render.verification import verify
render_stack(parse_config("", name="facemon.yaml", directory=Path.cwd()))
heavy = {"numpy", "pandas", "pyarrow", "onnxruntime", "PIL", "evidently", "rich"} & set(sys.modules)
print(*heavy)
"""
    outcome = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert outcome.stdout.split() == []


def test_each_note_is_about_a_part_that_is_rendered() -> None:
    # The other parts can be asked for by name in some configurations only.
    parts = {Part.PROMETHEUS, Part.ALERTMANAGER, Part.GRAFANA, Part.RUNBOOKS}
    for name, text in {**CONFIGURATIONS, "existing": f"{DEFAULTS}stack: {{for: existing}}\n"}.items():
        config, named = config_of(text), set[str]()
        for part in parts:
            notes = render_stack(config, {part}).notes
            assert set(notes) <= set(render_stack(config).notes), (name, part)
            folders = set(re.findall(r"monitoring/(\w+)", " ".join(notes))) & parts
            assert folders <= {part}, (name, notes)
            named |= folders
        assert ("grafana" in named) == (config.stack.for_ == "existing"), name
