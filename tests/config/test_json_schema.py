"""The JSON Schema of `facemon.yaml`: valid itself, never stricter than facemon, and complete."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from facemon.application.first_configuration import first_configuration
from facemon.config.document import Config
from facemon.config.json_schema import schema_text
from facemon.config.loader import parse_config, text_faults
from facemon.config.yaml_source import read_yaml
from facemon.config.yaml_text import flow_text
from tests.conftest import ROOT
from tests.render.configurations import CONFIGURATIONS
from tests.render.random_configurations import sampled

SCHEMA = json.loads(schema_text())
SET_UPS = (ROOT / "docs/set-ups.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", SET_UPS, re.MULTILINE | re.DOTALL)


def judged(folder: Path, *options: str | Path) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [sys.executable, "-m", "check_jsonschema", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def judge(folder: Path, texts: list[str]) -> subprocess.CompletedProcess[str]:
    (folder / "schema.json").write_text(schema_text(), encoding="utf-8")
    files = [folder / f"{number}.json" for number in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        # As facemon reads it: by YAML 1.2, which check-jsonschema goes by, 0o7 without quotation marks is a number.
        file.write_text(json.dumps(read_yaml(text).value), encoding="utf-8")
    return judged(folder, "--schemafile", "schema.json", *files)


def test_it_is_a_schema_of_its_draft(tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text(schema_text(), encoding="utf-8")
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    answer = judged(tmp_path, "--check-metaschema", "schema.json")
    assert answer.returncode == 0, answer.stdout


def test_what_loads_is_valid(tmp_path: Path) -> None:
    """It is never stricter than facemon: a file that loads is not underlined by an editor."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "configs").glob("*.yaml"))]
    texts += [*CONFIGURATIONS.values(), *BLOCKS, first_configuration(None, tmp_path), *sampled(40, seed=22)]
    texts = [text for text in texts if not text_faults(text)]
    assert len(texts) > 50
    answer = judge(tmp_path, texts)
    assert answer.returncode == 0, answer.stdout


WRONG = {
    "an unknown section": "drifts: {}\n",
    "an unknown key": "drift: {windw: 24h}\n",
    "a bundle that there is not": "model: {bundle: age}\n",
    "a bundle beside other keys": "model: {bundle: age-gender, name: mine}\n",
    "text for a number": "drift: {min_rows: many}\n",
    "a number for a duration": "drift: {window: 24}\n",
    "a unit that there is not": "drift: {window: 24 hours}\n",
    "a size in units of a thousand": "api: {max_body: 16MB}\n",
    "an address without a port": "api: {listen: localhost}\n",
    "a number beyond its limit": "store: {retention_days: 0}\n",
    "a word that is none of those": "stack: {for: everything}\n",
    "an alert that there is not": "alerts: {HighLatencies: {}}\n",
    "a secret in the open": 'alertmanager: {smtp: {smarthost: "h:25", from: a@b.example, password: x}}\n',
    "a key that is missing": "alertmanager: {receivers: [{email: []}]}\n",
}


def test_what_an_editor_can_know_to_be_wrong_is_refused(tmp_path: Path) -> None:
    assert all(map(text_faults, WRONG.values()))
    answer = judge(tmp_path, list(WRONG.values()))
    missed = [case for number, case in enumerate(WRONG) if f"/{number}.json::" not in answer.stdout]
    assert (answer.returncode, missed) == (1, [])


def sections(
    schema: Mapping[str, Any], above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Each key that has a default of its own, with what the schema says of it."""
    for key, said in schema["properties"].items():
        if reference := said.get("$ref"):
            yield from sections(SCHEMA["$defs"][reference.rpartition("/")[2]], (*above, key))
        yield (*above, key), said


def test_each_default_is_written_as_a_file_would() -> None:
    """A file that has them all means the same as no file."""
    written: dict[str, Any] = {}
    for path, said in sections(SCHEMA):
        if "default" in said:
            at = written
            for key in path[:-1]:
                at = at.setdefault(key, {})
            at[path[-1]] = said["default"]
    assert len(written["api"]) > 15
    read, defaults = (parse_config(text, name="f.yaml", directory=Path()) for text in (flow_text(written), ""))
    assert read == defaults


def test_each_key_is_there_and_none_that_only_the_loader_fills() -> None:
    assert {each.alias or name for name, each in Config.model_fields.items() if not each.exclude} == set(
        SCHEMA["properties"]
    )


def keys_below(part: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each key of each section, with what the schema says of it or of the section that it is."""
    if isinstance(part, dict):
        for key, said in part.get("properties", {}).items():
            referred = SCHEMA["$defs"].get(said.get("$ref", "").rpartition("/")[2], {})
            yield f"{place}.{key}", referred | said
    children = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    names = part if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ()
    for name, child in zip(names, children, strict=True):
        yield from keys_below(child, f"{place}/{name}")


def test_each_key_is_described() -> None:
    keys = dict(keys_below(SCHEMA))
    assert len(keys) > 400
    assert [key for key, said in keys.items() if len(said.get("description", "").split()) < 2] == []


def test_descriptions_are_those_of_the_code() -> None:
    drift = SCHEMA["$defs"]["DriftConfig"]["properties"]
    assert drift["window"]["description"] == "How much of the newest data is compared."
    described = [said for _, said in sections(SCHEMA) if "description" in said]
    assert len(described) > 100
    assert not any(re.search(r"[^\n]\n[^\n]", said["description"]) for said in described)
