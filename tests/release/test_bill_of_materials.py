"""A bill of materials lists the locked versions, or is refused."""

from pathlib import Path
from typing import Any

import pytest
from bill_of_materials import bill_faults, image_extras

ROOT = Path(__file__).parents[2]
LOCKED = "# The versions\n" + "".join(f"part_{number}==1.{number}\n" for number in range(12))


def bill(**changed: str) -> Any:
    parts = {f"Part-{number}": f"1.{number}" for number in range(12)} | changed
    return {
        "metadata": {"component": {"name": "facemon", "bom-ref": "root"}},
        "components": [{"name": name, "version": version} for name, version in parts.items()],
        "dependencies": [{"ref": "root", "dependsOn": ["Part-1"]}, {"ref": "Part-1"}],
    }


def test_names_are_the_same_however_they_are_written() -> None:
    assert list(bill_faults(bill(), LOCKED)) == []


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        (bill(**{"Part-3": "1.4"}), "has part-3 1.4, constraints.txt 1.3"),
        (bill(pip="26.0"), "has pip 26.0, constraints.txt no version of it"),
        (bill() | {"dependencies": [{"ref": "root"}]}, "does not know the installed facemon"),
        (bill() | {"dependencies": []}, "does not know the installed facemon"),
    ],
)
def test_each_fault_is_named(found: Any, fault: str) -> None:
    [named] = bill_faults(found, LOCKED)
    assert fault in named


def test_the_extras_are_those_of_the_image() -> None:
    assert set(image_extras(ROOT).split(",")) == {"age-gender", "object-storage", "serve", "yunet"}
