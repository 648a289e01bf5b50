"""Manifests through the installed command."""

import json
from pathlib import Path

from PIL import Image

from tests.conftest import RunFacemon


def test_a_manifest_s_columns_reach_the_log_and_a_run_on_it_resumes(
    facemon: RunFacemon, tmp_path: Path, astronaut: Path
) -> None:
    (tmp_path / "images").mkdir()
    Image.open(astronaut).convert("RGB").crop((100, 0, 350, 250)).save(tmp_path / "images" / "a.jpg")
    manifest = tmp_path / "images" / "today.csv"
    manifest.write_text("path,source,observed_at,image_id\na.jpg,gate,2026-11-23T02:00:00,007\nmissing.jpg,,,8\n")
    answer = facemon("predict", "images/today.csv", "--max-failures", "1", "--source", "door", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    first, second = (json.loads(line) for line in answer.stdout.splitlines())
    assert (first["image"], first["image_id"], first["source"]) == ("a.jpg", "007", "gate")
    assert first["observed_at"] == "2026-11-23T02:00:00.000000Z"
    assert (second["image_id"], second["source"], second["error"]) == ("8", "door", "unreadable")
    again = facemon("predict", "images/today.csv", "--resume", "--max-failures", "1", "-q", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert facemon("store", "verify", cwd=tmp_path).returncode == 0


def test_a_manifest_without_images_or_outside_its_root(facemon: RunFacemon, tmp_path: Path, astronaut: Path) -> None:
    (tmp_path / "m.csv").write_text("file\na.jpg\n")
    answer = facemon("predict", "m.csv", cwd=tmp_path)
    assert answer.returncode == 1
    assert "m.csv: no column names the images" in answer.stderr
    assert not (tmp_path / "rows.jsonl").exists()
    (tmp_path / "root").mkdir()
    (tmp_path / "m.jsonl").write_text(json.dumps({"image": str(astronaut)}) + "\n")
    answer = facemon("predict", "m.jsonl", "--root", "root", "--no-store", cwd=tmp_path)
    assert answer.returncode == 1
    assert json.loads(answer.stdout)["error"] == "denied"
    assert facemon("predict", astronaut, "--root", "root", "--no-store", cwd=tmp_path).returncode == 2


def test_columns_that_nothing_uses_are_told_once(facemon: RunFacemon, tmp_path: Path, astronaut: Path) -> None:
    Image.open(astronaut).convert("RGB").crop((100, 0, 350, 250)).save(tmp_path / "a.jpg")
    (tmp_path / "typo.csv").write_text("image,weather,sorce\na.jpg,fine,gate\n")
    answer = facemon("predict", "typo.csv", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    note = "typo.csv: columns that are not used: sorce (did you mean source?), weather\n"
    assert answer.stderr.count(note) == 1
    assert facemon("predict", "typo.csv", "-q", cwd=tmp_path).stderr == ""
    (tmp_path / "spaces.csv").write_text("image, source, observed_at\na.jpg, gate, 2026-11-30\n")
    answer = facemon("predict", "spaces.csv", cwd=tmp_path)
    assert "not used" not in answer.stderr
    row = json.loads(answer.stdout)
    assert (row["source"], row["observed_at"]) == ("gate", "2026-11-30T00:00:00.000000Z")


def test_a_manifest_without_rows_says_so(facemon: RunFacemon, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("image,source\n")
    answer = facemon("predict", "m.csv", "--no-store", cwd=tmp_path)
    assert answer.returncode == 1
    assert "error: no image is in m.csv\n  hint: it has no rows: write a row for each image\n" in answer.stderr


def test_rows_for_a_folder_that_is_not_there_begin_no_run(facemon: RunFacemon, tmp_path: Path, astronaut: Path) -> None:
    for command in (("predict", str(astronaut)), ("log",)):
        answer = facemon(*command, "-o", "my rows/x.csv", cwd=tmp_path)
        assert answer.returncode == 2
        said = "error: -o my rows/x.csv: the folder my rows does not exist\n  hint: mkdir -p 'my rows'\n"
        assert answer.stderr == said
    assert not (tmp_path / ".facemon").exists()
