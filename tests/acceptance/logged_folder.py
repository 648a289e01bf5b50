"""A folder with a log, for commands that are signalled or whose system calls fail."""

from pathlib import Path

from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon
from tests.model.onnx_files import flat_image


def log_some(facemon: RunFacemon, folder: Path, *options: str) -> None:
    """Make a store with some rows and a reference, and a manifest of 100 images, which predict reads with options."""
    write_small_model(folder, "drift: {min_rows: 1}\n")
    (folder / "elsewhere.yaml").write_text((folder / "facemon.yaml").read_text() + "store: {path: elsewhere}\n")
    flat_image(folder / "a.png", (255, 0, 0))
    (folder / "many.jsonl").write_text('{"image": "a.png", "observed_at": "2026-11-20T02:00:00Z"}\n' * 100)
    for arguments in (("predict", "many.jsonl", *options), ("reference", "set", "--since", "2026-11-20")):
        assert facemon("-q", *arguments, cwd=folder).returncode == 0
