"""Paths below a folder that the user may not enter: each command says what failed, where, and which folder to open."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon
from tests.model.onnx_files import flat_image
from tests.patience import HANG_S
from tests.started import neutral_environment

COMMAND = Path(sys.executable).with_name("facemon")
UNPRIVILEGED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.geteuid() == 0 and shutil.which("setpriv") is None,
        reason="root may look into every folder, and setpriv, which could take that from a process, is not installed",
    ),
]


@pytest.fixture(scope="module")
def folder(facemon: RunFacemon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a model, a store, images, and `closed`, which may not be entered; tables/closed may not either."""
    folder = tmp_path_factory.mktemp("closed")
    write_small_model(folder)
    closed = (folder / "closed", folder / "tables" / "closed")
    flat_image(folder / "a.png", (255, 0, 0))
    assert facemon("-q", "predict", "a.png", cwd=folder).returncode == 0
    (folder / "list.jsonl").write_text('{"image": "a.png"}\n')
    text = (folder / "facemon.yaml").read_text()
    (folder / "elsewhere.yaml").write_text(f"{text}store: {{path: closed/store}}\napi: {{tokens_file: closed/token}}\n")
    for place in closed:
        place.mkdir(parents=True)
        flat_image(place / "a.png", (255, 0, 0))
        for name in ("l.csv", "../l.csv"):
            (place / name).write_text("image,hair\na.png,a\n")
        place.chmod(0)
    yield folder
    for place in closed:
        place.chmod(0o700)


def unprivileged(folder: Path, line: str) -> "subprocess.CompletedProcess[str]":
    """The command, by a user who is not root, or by root without its power over permissions."""
    prefix = UNPRIVILEGED if os.geteuid() == 0 else ()
    return subprocess.run(
        [*prefix, str(COMMAND), *line.format(folder=folder).split()],
        cwd=folder, env=neutral_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=HANG_S,
    )  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "predict closed/l.csv",
        "predict closed/shard.tar",
        "predict list.jsonl --root closed/below",
        "predict a.png -o closed/rows.csv",
        "manifest a.png -o closed/m.parquet",
        "log -o closed/rows.csv",
        "log --worst 3 --labels closed/l.csv",
        "evaluate closed/l.csv",
        "evaluate tables",
        "drift-check --current tables --reference closed/l.csv",
        "reference set closed/below",
        "model check closed/l.csv",
        "config schema -o closed/s.json",
        "init -o closed/facemon.yaml",
        "render-config --out closed/out",
        "store backup closed/b.tar.gz",
        "report -o closed/r.html",
        "-c closed/facemon.yaml log",
        "-c elsewhere.yaml log",
    ],
)
def test_what_where_and_what_to_do(folder: Path, line: str) -> None:
    answer = unprivileged(folder, line)
    assert answer.returncode in (1, 2)
    *_, message, hint = answer.stderr.splitlines()
    assert message.startswith("error: ")
    assert "closed" in message
    assert "permission denied" in message.lower()
    closed = folder / ("tables/closed" if "tables" in message else "closed")
    assert hint.startswith(f"  hint: give this user the right to enter {closed}, or ")


@pytest.mark.parametrize("path", ["closed/a.png", "file://{folder}/closed/a.png", "closed"])
def test_other_images_are_predicted(folder: Path, path: str) -> None:
    rows = [json.loads(line) for line in unprivileged(folder, f"predict a.png {path}").stdout.splitlines()]
    assert [row["error"] for row in rows] == [None, "denied"]


def test_a_manifest_of_images_that_cannot_be_looked_at(folder: Path) -> None:
    answer = unprivileged(folder, "manifest a.png closed/a.png -o images.parquet")
    assert answer.returncode == 0
    assert "1 image of the list is not there or cannot be looked at" in answer.stderr
    rows = [json.loads(line) for line in unprivileged(folder, "predict images.parquet").stdout.splitlines()]
    assert [row["error"] for row in rows] == [None, "denied"]


def test_files_of_the_stack_that_cannot_be_looked_at(folder: Path) -> None:
    answer = unprivileged(folder, "-c elsewhere.yaml render-config --out stack")
    assert answer.returncode == 0
    assert "may not enter the folders of these secrets, so they may be missing: closed/token" in answer.stderr
    assert "mounts closed/store, which may be missing: its folder is closed to this user" in answer.stderr
