"""Decides what the software bill of materials (SBOM) of a release lists: the wheel as the Docker image installs it.

It is CycloneDX' JSON, made by cyclonedx-py of an environment that has the wheel, the extras of the image and their
dependencies in the versions of constraints.txt, and nothing else.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fetch_release_tools import program
from release_notes import ROOT, ReleaseError


def image_extras(root: Path) -> str:
    """Return the extras that the Dockerfile installs, joined by commas."""
    found = re.findall(r"(?m)^ARG EXTRAS=(.*)$", (root / "Dockerfile").read_text(encoding="utf-8"))
    return str(found[0])


def write_bill_of_materials(wheel: Path, version: str, target: Path) -> int:
    """Install a wheel, write its bill of materials, and return the number of components.

    Raises ReleaseError where a program fails or the bill has a fault.
    """
    with TemporaryDirectory(prefix="facemon-sbom-") as name:
        environment = Path(name) / "environment"
        _must_run([sys.executable, "-m", "venv", "--without-pip", str(environment)])
        python = str(environment / "bin" / "python")
        options = ["--quiet", "--no-input", "--disable-pip-version-check", "--no-compile"]
        locked = ["--constraint", str(ROOT / "constraints.txt"), f"{wheel.resolve()}[{image_extras(ROOT)}]"]
        _must_run([sys.executable, "-m", "pip", "--python", python, "install", *options, *locked])
        options = ["--output-format", "JSON", "--output-reproducible", "--validate", "--pyproject", "pyproject.toml"]
        _must_run([*program("cyclonedx_py"), "environment", *options, "--output-file", str(target.resolve()), python])
    bill = json.loads(target.read_text(encoding="utf-8"))
    faults = list(bill_faults(bill, (ROOT / "constraints.txt").read_text(encoding="utf-8")))
    if faults:
        raise ReleaseError(*faults)
    # pyproject.toml, from which cyclonedx-py describes facemon itself, does not have the version.
    bill["metadata"]["component"] |= {"version": version, "purl": f"pkg:pypi/facemon@{version}"}
    target.write_text(json.dumps(bill, indent=2) + "\n", encoding="utf-8")
    return len(bill["components"])


def bill_faults(bill: Any, constraints: str) -> Iterator[str]:
    """What keeps a bill of materials from being that of an installed facemon with the locked dependencies."""
    locked = dict(line.split("==") for line in constraints.splitlines() if "==" in line)
    locked = {_normalised(name): number for name, number in locked.items()}
    found = {_normalised(part["name"]): part["version"] for part in bill["components"]}
    depending = {each["ref"]: each.get("dependsOn", []) for each in bill["dependencies"]}
    if not depending.get(bill["metadata"]["component"]["bom-ref"]):
        yield "the bill of materials does not know the installed facemon: it depends on nothing there"
    for name, number in sorted(found.items()):
        if locked.get(name) != number:
            yield f"the bill of materials has {name} {number}, constraints.txt {locked.get(name, 'no version of it')}"


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _must_run(command: list[str]) -> None:
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise ReleaseError(f"{' '.join(command[:4])} ...: {answer.stderr.strip()[-1000:]}")
