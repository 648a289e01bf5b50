"""Public networks under facemon's description of their preprocessing, beside plain code of that preprocessing."""

import hashlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import dlib
import numpy as np
import onnx
import skimage.data
from numpy.typing import NDArray
from PIL import Image, ImageOps

from benchmarks.machine import Line
from benchmarks.public_network_list import NETWORKS, PublicNetwork, Section
from benchmarks.results_table import Table
from facemon.config.model import FacesConfig, ModelConfig
from facemon.config.serving import PredictConfig
from facemon.domain.image_input import Box
from facemon.model.bounded_decoding import BoundedDecoder
from facemon.model.bundle import Bundle, load_bundle
from facemon.model.decoding import DecodedImage
from facemon.model.faces import Face, View, face_finder
from facemon.model.input_tensor import input_pixels

_TOOLS = Path(__file__).parents[1] / ".tools"
_FOLDER, _PEOPLE = _TOOLS / "networks", _TOOLS / "photographs"
_WANTED = 12
_COUNT = 10
_LARGEST = 1e-5
_NARROWER = 1 / 8
"""dlib's boxes are square; those of most detectors are narrower, by about so much on both sides together."""

ABOUT = f"""\
Each network is described in facemon's configuration and run on {_COUNT} photographs; its raw outputs, before any
activation, are compared with those of plain numpy, OpenCV and Pillow code of the preprocessing in its repository
(`benchmarks/public_references.py`, `public_finders.py`). The difference is the largest of all faces and outputs,
relative to the largest output; of finders it is that of scores and landmarks, and each edge of a box is the plain one
rounded. The files are not part of facemon and nothing fetches them: the part compares those that lie in
`.tools/networks` under the names of `benchmarks/public_network_list.py` and have the sha256 of that list.
"""


@dataclass(frozen=True, slots=True)
class _Photograph:
    path: Path
    box: Box
    """A face, the last pixel included."""


@dataclass(frozen=True, slots=True)
class _Comparison:
    network: PublicNetwork
    faces: int
    difference: float
    """Relative to the largest output; infinity where the faces are not the same."""


def measure(folder: Path) -> Iterator[Line | Table]:
    """How far the raw outputs of each network that is there lie apart."""
    photographs = list(_photographs(folder))
    compared: list[_Comparison] = []
    rows: list[tuple[str, ...]] = []
    for network in NETWORKS:
        if reason := _not_there(network):
            rows.append((network.repository, _names(network), network.steps, "-", reason))
            continue
        compared.append(_compared(network, photographs, folder))
        print(f"    {_names(network)}: {compared[-1].difference:.1e}, {compared[-1].faces} faces", file=sys.stderr)
        rows.append((
            network.repository, _names(network), network.steps, str(compared[-1].faces),
            f"{compared[-1].difference:.1e}",
        ))  # fmt: skip
    count = len({name for each in compared for name in each.network.files})
    note = f"in {len(compared)} rows; {len(NETWORKS) - len(compared)} rows skipped"
    yield Line("networks compared", str(count), f"≥ {_WANTED}", count >= _WANTED, note)
    largest = max((each.difference for each in compared), default=np.inf)
    far = [each for each in compared if each.difference > _LARGEST]
    told = "; ".join(f"{_names(each.network)} {each.difference:.1e}" for each in far)
    note = f"{len(compared) - len(far)} rows within" + (f"; not {told}" if far else "")
    yield Line("largest difference", f"{largest:.1e}", f"≤ {_LARGEST:.0e}", not far and bool(compared), note)
    yield Table(("repository", "file", "its preprocessing", "faces", "difference"), tuple(rows))


def _names(network: PublicNetwork) -> str:
    return ", ".join(f"`{name}`" for name in network.files)


def _not_there(network: PublicNetwork) -> str | None:
    """Why a network cannot be compared."""
    for name, digest in network.files.items():
        path = _FOLDER / name
        if not path.is_file():
            return f"skipped: no {name}"
        if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            return f"skipped: {name} has another sha256"
    return None


def _compared(network: PublicNetwork, photographs: Sequence[_Photograph], folder: Path) -> _Comparison:
    described = _configured(network.faces)
    finder = face_finder(FacesConfig.model_validate(described))
    bundle = load_bundle(_model(network, folder), PredictConfig(decode="exact")) if network.networks else None
    pairs = []
    for photograph in photographs:
        decoded = BoundedDecoder(PredictConfig()).decode(photograph.path.read_bytes(), dated_by=None, needed=None)
        image = cv2.imread(str(photograph.path))
        if image is None or not isinstance(decoded, DecodedImage):
            sys.exit(f"{photograph.path}: cannot be decoded")
        ours = _answers(bundle, decoded, photograph.box) if bundle else _found(finder.find(decoded, None))
        left, top, right, bottom = photograph.box
        files = [_FOLDER / name for name in network.files]
        theirs = network.reference(files, np.asarray(image, np.uint8), (left, top, right + 1, bottom + 1))
        pairs.append((ours, theirs))
    return _Comparison(network, sum(len(theirs) for _, theirs in pairs), _difference(pairs, bundle is None))


def _difference(pairs: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]], of_finder: bool) -> float:
    if any(ours.shape != theirs.shape for ours, theirs in pairs):
        return np.inf
    ours, theirs = (np.concatenate(side) for side in zip(*pairs, strict=True))
    if not of_finder:
        return float(np.abs(ours - theirs).max() / np.abs(theirs).max())
    if np.abs(ours[:, 1:5] - theirs[:, 1:5]).max() > 0.5 + _LARGEST:
        return np.inf
    scores = np.abs(ours[:, 0] - theirs[:, 0]).max() / theirs[:, 0].max()
    if theirs.shape[1] == 5:
        return float(scores)
    return float(max(scores, np.abs(ours[:, 5:] - theirs[:, 5:]).max() / np.abs(theirs[:, 5:]).max()))


def _answers(bundle: Bundle, decoded: DecodedImage, box: Box) -> NDArray[np.float64]:
    """The raw outputs of each face, as the attributes are read from them."""
    faces, views = bundle.finder.find(decoded, box), bundle.config.faces
    columns, _ = bundle.run([
        [input_pixels(face.seen(View.of(network.config, views)), network.config.input) for face in faces]
        for network in bundle.networks
    ])  # fmt: skip
    names = [each.name for each in bundle.config.attributes]
    return np.column_stack([columns[name] for name in names]) if columns else np.empty((0, len(names)))


def _found(faces: Sequence[Face]) -> NDArray[np.float64]:
    """Score, edges and landmarks of each face, as the plain finders have them."""
    rows = []
    for face in faces:
        left, top, right, bottom = face.box or (0, 0, 0, 0)
        points = np.asarray(face.points or ()).ravel()
        rows.append([face.confidence, left, top, right + 1, bottom + 1, *points])
    return np.asarray(rows, np.float64)


def _model(network: PublicNetwork, folder: Path) -> ModelConfig:
    output, count = network.reads
    networks = [
        {
            "path": str(_with_float16(_FOLDER / name, folder) if network.takes_float16 else _FOLDER / name),
            "attributes": [
                {"name": f"n{index}", "output": output, "index": index, "kind": "number",
                 "average": len(network.networks) > 1}
                for index in range(count)
            ],
            **section,
        }
        for name, section in zip(network.files, network.networks, strict=False)
    ]  # fmt: skip
    return ModelConfig.model_validate(
        {"name": "public", "version": "1", "faces": _configured(network.faces), "networks": networks}
    )


def _configured(faces: Section) -> dict[str, Any]:
    return dict(faces) | ({"weights": str(_FOLDER / faces["weights"])} if "weights" in faces else {})


def _with_float16(file: Path, folder: Path) -> Path:
    """The same network behind an input of float16."""
    model = onnx.load(file)
    taken = model.graph.input[0]
    inner = f"{taken.name} in float32"
    for node in model.graph.node:
        node.input[:] = [inner if name == taken.name else name for name in node.input]
    cast = onnx.helper.make_node("Cast", [taken.name], [inner], to=onnx.TensorProto.FLOAT)
    model.graph.node.insert(0, cast)
    taken.type.tensor_type.elem_type = onnx.TensorProto.FLOAT16
    onnx.save(model, folder / file.name)
    return folder / file.name


def _photographs(folder: Path) -> Iterator[_Photograph]:
    """Those of `make tools`, as they are, the one of scikit-image, and made ones until there are enough.

    In the made ones the face lies at an edge, so that what crops do outside the image counts, or is so small that
    networks enlarge it.
    """
    astronaut = Image.fromarray(skimage.data.astronaut())
    astronaut.save(folder / "astronaut.png")
    paths = [*sorted(_PEOPLE.glob("*.*")), folder / "astronaut.png"]
    for index in range(_COUNT - len(paths)):
        made = ImageOps.mirror(astronaut) if index % 2 else astronaut
        left, top = (230, 90 + 7 * index) if index % 2 else (190 + 3 * index, 60 + 11 * index)
        crop = made.crop((left, top, left + 200 + 31 * index, 512))
        crop = crop.reduce(2) if index % 2 else crop
        paths.append(folder / f"made {index}.png")
        crop.save(paths[-1])
    detector = dlib.get_frontal_face_detector()
    for path in paths:
        pixels = np.asarray(Image.open(path).convert("RGB"))
        yield _Photograph(path, _face(pixels, detector))


def _face(pixels: NDArray[np.uint8], detector: Any) -> Box:
    """The largest face that dlib finds, made narrower, or the middle of the picture."""
    found = sorted(detector(pixels, 1), key=lambda each: each.area())
    if not found:
        height, width = pixels.shape[:2]
        return width // 4, height // 4, width * 3 // 4, height * 3 // 4
    face = found[-1]
    less = round(face.width() * _NARROWER)
    return face.left() + less // 2, face.top(), face.right() - (less - less // 2), face.bottom()
