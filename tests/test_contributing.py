"""CONTRIBUTING.md and .github name only what there is, and each place to extend facemon at has its checklist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text()
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
FORMS = [ROOT / ".github/ISSUE_TEMPLATE" / name for name in ("bug.yml", "idea.yml")]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
RUN_STEPS = [
    step["run"]
    for workflow in WORKFLOWS
    for job in yaml.safe_load(workflow.read_text())["jobs"].values()
    for step in job["steps"]
    if "run" in step
]
LINKING = [ROOT / name for name in ("CONTRIBUTING.md", "README.md", "SECURITY.md", "CODE_OF_CONDUCT.md")]


def anchors(document: Path) -> set[str]:
    """The anchors that a forge gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_target_that_is_named_exists() -> None:
    named = set(re.findall(r"\bmake ([a-z-]+)", GUIDE)) | {run.removeprefix("make ") for run in RUN_STEPS}
    assert named - TARGETS == set()
    assert {"check", "test"} <= named


def test_every_workflow_step_is_a_target_of_make() -> None:
    assert [run for run in RUN_STEPS if not run.startswith("make ")] == []


def test_every_path_that_is_named_exists() -> None:
    named = re.findall(r"`((?:\.?[\w-]+/)*[\w-]*\.?[\w-]+(?:\.\w+|/))`", GUIDE)
    paths = [path for path in named if "/" in path or path.endswith((".md", ".toml", ".txt", ".yaml"))]
    assert len(paths) > 10
    assert [path for path in paths if path != ".venv/" and not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", LINKING, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()) if "://" not in link]
    faults = []
    for link in links:
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            faults.append(link)
    assert faults == []


def test_every_registry_has_a_line() -> None:
    registries = {str(path.relative_to(ROOT)) for path in (ROOT / "facemon").rglob("registry.py")}
    assert {path for path in registries if f"`{path}`" not in GUIDE} == set()


def test_every_checklist_has_a_line() -> None:
    headings = {name for name in anchors(ROOT / "docs/architecture.md") if name.startswith("to-add-")}
    headings -= {"to-add-a-runtime-for-networks"}  # no registry: one other library
    assert {name for name in headings if f"#{name})" not in GUIDE} == set()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("github-workflows", WORKFLOWS),
        ("github-issue-forms", FORMS),
        ("github-issue-config", [ROOT / ".github/ISSUE_TEMPLATE/config.yml"]),
        ("dependabot", [ROOT / ".github/dependabot.yml"]),
    ],
)
def test_the_schemas_of_github_accept_its_files(schema: str, files: list[Path]) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *map(str, files)]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
