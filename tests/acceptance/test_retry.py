"""`facemon predict --retry-failed` through the installed command."""

import json
from pathlib import Path

from PIL import Image

from tests.conftest import RunFacemon


def test_a_mended_file_is_predicted_and_both_attempts_are_counted(
    facemon: RunFacemon, tmp_path: Path, astronaut: Path
) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    face = Image.open(astronaut).convert("RGB").crop((100, 0, 350, 250))
    face.save(folder / "a.png")
    (folder / "b.png").write_text("no picture")
    (folder / "c.png").write_text("no picture either")
    first = facemon("predict", "images", "-q", "--observed-at", "2026-11-20T12:00:00Z", cwd=tmp_path)
    assert first.returncode == 1
    face.save(folder / "b.png")
    arguments = ("predict", "images", "--observed-at", "2026-11-20T12:00:00Z", "--retry-failed", "--max-failures", "1")
    answer = facemon(*arguments, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert "trying 2 failed images" in answer.stderr
    rows = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [(row["image"], row["error"]) for row in rows] == [("images/b.png", None), ("images/c.png", "unreadable")]
    assert {row["observed_at"] for row in rows} == {"2026-11-20T12:00:00.000000Z"}
    assert json.loads(facemon("store", "info", "--json", cwd=tmp_path).stdout)["rows"] == 3
    metrics = facemon("export-metrics", "-o", "-", cwd=tmp_path).stdout
    assert 'images_processed_total{status="ok"} 2.0' in metrics
    assert 'images_processed_total{status="failed"} 3.0' in metrics
    assert facemon("store", "verify", cwd=tmp_path).returncode == 0
    face.save(folder / "c.png")
    assert facemon(*arguments, cwd=tmp_path).returncode == 0
    answer = facemon(*arguments, cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (0, "")
    assert "nothing failed in run" in answer.stderr


def test_what_cannot_be_retried_is_said(facemon: RunFacemon, tmp_path: Path, astronaut: Path) -> None:
    answer = facemon("predict", astronaut, "--retry-failed", cwd=tmp_path)
    assert answer.returncode == 1
    assert "no run on these paths is in the log" in answer.stderr
    for option in ("--resume", "--no-store"):
        assert facemon("predict", astronaut, "--retry-failed", option, cwd=tmp_path).returncode == 2
    assert facemon("predict", "-", "--retry-failed", cwd=tmp_path).returncode == 2
    (tmp_path / "a.png").write_text("no picture")
    assert facemon("predict", "-q", "a.png", cwd=tmp_path).returncode == 1
    (tmp_path / "a.png").unlink()
    answer = facemon("predict", "-q", "a.png", "--retry-failed", cwd=tmp_path)
    assert answer.returncode == 1
    assert "could not be predicted" in answer.stderr
