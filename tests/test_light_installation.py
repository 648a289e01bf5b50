"""`pip install facemon` brings nothing that only many machines need: that comes with extras."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Any

import pytest

FOR_MANY_MACHINES = {"obstore": "object-storage", "ray": "ray"}
PROJECT: dict[str, Any] = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
"""What the metadata of an installation say; those of the tests' own may be older."""


def names(requirements: list[str]) -> set[str]:
    """The packages that are required without an extra."""
    return {
        re.sub(r"[-_.]+", "-", re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]).lower()
        for requirement in requirements
        if not re.search(r"extra\s*==", requirement)
    }


def brought_by(packages: set[str]) -> set[str]:
    """The packages with all that they require; what those require that are not installed here is not known."""
    found, left = set(packages), list(packages)
    while left:
        try:
            new = names(requires(left.pop()) or []) - found
        except PackageNotFoundError:
            continue
        found |= new
        left += new
    return found


def test_a_plain_installation_brings_nothing_for_many_machines() -> None:
    found = brought_by(names(PROJECT["dependencies"]))
    assert {"numpy", "pyarrow", "onnxruntime", "scikit-learn"} <= found
    assert found.isdisjoint(FOR_MANY_MACHINES)


@pytest.mark.parametrize("package", FOR_MANY_MACHINES)
def test_an_extra_brings_it(package: str) -> None:
    assert package in names(PROJECT["optional-dependencies"][FOR_MANY_MACHINES[package]])
