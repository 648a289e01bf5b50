"""Configurations written to files, and the faults that are found in them."""

import textwrap
from pathlib import Path

import pytest

from facemon.config.loader import load_config
from facemon.errors import ConfigError, ExitCode


def write(text: str, name: str = "facemon.yaml") -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def faults_of(text: str) -> list[str]:
    """The faults of a file with this text, each without the file's name."""
    with pytest.raises(ConfigError) as caught:
        load_config(write(text))
    assert caught.value.exit_code is ExitCode.USAGE
    lines = caught.value.message.split("\n")
    assert all(line.startswith("facemon.yaml:") for line in lines)
    return [line.removeprefix("facemon.yaml:") for line in lines]
