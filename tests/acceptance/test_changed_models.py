"""Another model under the same name and version: who logs it, or compares its rows, is told, and nothing is refused."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from facemon import Monitor
from tests.acceptance.served import served
from tests.acceptance.small_model import CONFIG, write_small_model
from tests.conftest import RunFacemon
from tests.model.onnx_files import flat_image
from tests.patience import wait_until

LAST = "small@1 was last logged with the fingerprint "
WAY_OUT = "give the changed model a model.version of its own, other than small@1"
SETTINGS = "drift: {min_rows: 5, evidently: {when: never}}\n"
YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).isoformat()
SWAPPED = ("-c", "swapped.yaml")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """swapped.yaml has the labels the other way round; moved.yaml names a copy of the same file, and other threads."""
    write_small_model(tmp_path, SETTINGS)
    (tmp_path / "swapped.yaml").write_text(CONFIG.replace("[a, b]", "[b, a]") + SETTINGS)
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(tmp_path / "m.onnx", tmp_path / "elsewhere" / "copy.onnx")
    moved = CONFIG.replace("m.onnx", "elsewhere/copy.onnx")
    (tmp_path / "moved.yaml").write_text(f"{moved}{SETTINGS}predict: {{threads: 1, providers: [cpu]}}\n")
    (tmp_path / "images").mkdir()
    for number in range(6):
        flat_image(tmp_path / "images" / f"{number}.png", (40 * number, 90, 0))
    return tmp_path


def predict(facemon: RunFacemon, folder: Path, *config: str) -> str:
    ran = facemon("-q", *config, "predict", "images", cwd=folder)
    assert ran.returncode == 0, ran.stderr
    return ran.stderr


def test_predict_tells_once_of_a_changed_model_and_not_of_a_moved_one(facemon: RunFacemon, folder: Path) -> None:
    assert predict(facemon, folder) == ""
    assert predict(facemon, folder, "-c", "moved.yaml") == ""
    said = predict(facemon, folder, *SWAPPED)
    assert said.startswith(f"warning: {LAST}")
    assert WAY_OUT in said
    assert predict(facemon, folder, *SWAPPED) == ""
    assert LAST in predict(facemon, folder)


def test_a_version_of_its_own_is_the_way_out(facemon: RunFacemon, folder: Path) -> None:
    predict(facemon, folder)
    text = (folder / "swapped.yaml").read_text()
    (folder / "swapped.yaml").write_text(text.replace('version: "1"', 'version: "2"'))
    assert predict(facemon, folder, *SWAPPED) == ""
    assert facemon("-q", *SWAPPED, "reference", "set", "--since", "1h", cwd=folder).stderr == ""


def test_python_warns_where_it_predicts(facemon: RunFacemon, folder: Path) -> None:
    predict(facemon, folder)
    image = str(folder / "images" / "0.png")
    with pytest.warns(UserWarning, match=LAST):
        Monitor(folder / "swapped.yaml").predict([image])
    assert predict(facemon, folder, *SWAPPED) == ""


def test_predictions_from_elsewhere_have_no_fingerprint_to_compare(facemon: RunFacemon, folder: Path) -> None:
    row = {"image": "x.jpg", "hair": "a", "hair_confidence": 0.9}
    Monitor(folder / "facemon.yaml").log([row])
    assert predict(facemon, folder) == ""
    Monitor(folder / "facemon.yaml").log([row])
    assert predict(facemon, folder) == ""


def test_serve_warns_when_it_starts(facemon: RunFacemon, folder: Path) -> None:
    predict(facemon, folder)
    with served(folder, *SWAPPED) as server:
        wait_until(lambda: any(LAST in line for line in server.said), lambda: f"{server.said}: the warning")
        assert server.ask("POST", "/predict", (folder / "images" / "0.png").read_bytes())[0] == 200
        server.wait_for_images(6 + 1)
        # What it has logged counts while it goes on, too.
        assert LAST in predict(facemon, folder)


def test_a_reference_and_a_check_of_both_say_so(facemon: RunFacemon, folder: Path) -> None:
    predict(facemon, folder)
    assert facemon("-q", "reference", "set", "--since", "1h", "--name", "one", cwd=folder).stderr == ""
    assert findings(facemon, folder) == []
    predict(facemon, folder, *SWAPPED)
    look = ("drift-check", "--no-record", "--exit-zero", "--format", "json")
    notes = json.loads(facemon(*look, cwd=folder).stdout)["notes"]
    (note,) = (each for each in notes if "small@1 was logged with 2 fingerprints" in each)
    assert WAY_OUT in note
    assert [what for what in findings(facemon, folder) if "as another model since the reference one" in what]
    assert [what for what in findings(facemon, folder, *SWAPPED) if "not the model that it was" in what]
    ran = facemon("-q", "reference", "set", "--since", "1h", "--name", "both", cwd=folder)
    assert ran.returncode == 0
    assert ran.stderr.startswith("warning: small@1 was logged with 2 fingerprints in this window (")
    assert WAY_OUT in ran.stderr
    for config in ((), SWAPPED):
        assert [
            what for what in findings(facemon, folder, *config) if "the reference both has rows of 2 models" in what
        ]


def test_a_check_of_one_model_has_no_such_note(facemon: RunFacemon, folder: Path) -> None:
    predict(facemon, folder)
    facemon("-q", "reference", "set", "--since", "1h", cwd=folder)
    predict(facemon, folder, "-c", "moved.yaml")
    ran = facemon("drift-check", "--no-record", "--exit-zero", "--format", "json", cwd=folder)
    assert not [each for each in json.loads(ran.stdout)["notes"] if "fingerprint" in each]


def findings(facemon: RunFacemon, folder: Path, *config: str) -> list[str]:
    document = json.loads(facemon(*config, "doctor", "--format", "json", cwd=folder).stdout)
    return [each["what"] for each in document["findings"] if each["area"] == "model"]


@pytest.fixture
def centre(folder: Path) -> Path:
    centre = folder / "centre"
    centre.mkdir()
    write_small_model(centre, SETTINGS)
    (folder / "log").mkdir()
    return centre


def test_collected_rows_of_boxes_bring_their_fingerprints(facemon: RunFacemon, folder: Path, centre: Path) -> None:
    """Each box predicts as it is configured, and each is told nothing: it has seen one model only."""
    location = f"file://{folder / 'log'}"
    for name, config in (("gate", "facemon.yaml"), ("yard", "swapped.yaml")):
        box = folder / name
        box.mkdir()
        shutil.copy(folder / "m.onnx", box)
        shutil.copy(folder / config, box / "facemon.yaml")
        ran = facemon("-q", "predict", str(folder / "images"), "--observed-at", YESTERDAY, cwd=box)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert facemon("-q", "store", "deliver", location, "--node", name, cwd=box).returncode == 0
        assert facemon("-q", "store", "collect", location, cwd=centre).returncode == 0
    assert_told(facemon, centre)


def test_collected_shards_bring_their_fingerprints(facemon: RunFacemon, folder: Path, centre: Path) -> None:
    for name, config in (("first", "facemon.yaml"), ("second", "swapped.yaml")):
        location = f"file://{folder / 'log' / name}"
        assert facemon("-q", "manifest", "images", "-o", f"{name}.parquet", cwd=folder).returncode == 0
        shard = ("predict", f"{name}.parquet", "--shard", "1/1", "--deliver", location)
        ran = facemon("-q", "-c", config, *shard, cwd=folder)
        assert ran.returncode == 0, ran.stderr
        assert facemon("-q", "store", "collect", location, cwd=centre).returncode == 0
    assert_told(facemon, centre)


def assert_told(facemon: RunFacemon, centre: Path) -> None:
    ran = facemon("-q", "reference", "set", "--since", "3d", "--name", "both", cwd=centre)
    assert ran.returncode == 0, ran.stderr
    assert "small@1 was logged with 2 fingerprints in this window" in ran.stderr
    assert [what for what in findings(facemon, centre) if "the reference both has rows of 2 models" in what]
