"""The scales of dlib's detector against dlib itself."""

from pathlib import Path

import dlib
import numpy as np
import pytest
from PIL import Image

from facemon.config.model import CutConfig, FacesConfig
from facemon.model.decoding import DecodedImage
from facemon.model.dlib_faces import DlibFinder
from facemon.model.dlib_pyramid import BOX_SIDE, box_in_whole, next_side, steps_over
from facemon.model.faces import View


def boxes_of(detector: "dlib.fhog_object_detector", pixels: np.ndarray) -> set[tuple[int, int, int, int]]:
    return {(each.left(), each.top(), each.right(), each.bottom()) for each in detector(pixels, 0)}


@pytest.mark.parametrize("side", [500, *(pytest.param(side, marks=pytest.mark.slow) for side in (777, 1024))])
def test_a_smaller_image_gives_the_whole_s_boxes_to_the_pixel(astronaut: Path, side: int) -> None:
    detector = dlib.get_frontal_face_detector()
    pixels = np.asarray(Image.open(astronaut).convert("RGB").crop((120, 20, 330, 230)).resize((side, side - 37)))
    whole = boxes_of(detector, np.ascontiguousarray(pixels))
    assert whole
    smaller = pixels
    for steps in range(1, 5):
        smaller = dlib.resize_image(np.ascontiguousarray(smaller), *(next_side(each) for each in smaller.shape[:2]))
        found = {box_in_whole(box, steps) for box in boxes_of(detector, smaller)}
        assert found == {box for box in whole if box[2] - box[0] + 1 >= BOX_SIDE * 1.2**steps - 1}


@pytest.mark.parametrize(("shortest", "steps"), [(100, 0), (512, 0), (640, 1), (1024, 4), (3000, 9)])
def test_no_box_from_an_eighth_on_is_passed_over(shortest: int, steps: int) -> None:
    assert steps_over(shortest) == steps
    largest_passed_over = BOX_SIDE * 1.2 ** (steps - 1)
    assert steps == 0 or largest_passed_over < shortest / 8


def test_the_fast_finder_gives_the_same_face_and_chips(astronaut: Path) -> None:
    image = Image.open(astronaut).convert("RGB").crop((120, 20, 330, 230)).resize((800, 800))
    exact, fast = (
        DlibFinder(FacesConfig(finder="dlib"), fast=fast).find(DecodedImage(image, image.size), None)
        for fast in (False, True)
    )
    exact = [face for face in exact if face.box is not None and face.box[2] - face.box[0] >= 800 / 8]
    assert len(exact) == 1
    assert [(face.box, face.confidence) for face in fast] == [(face.box, face.confidence) for face in exact]
    for side in (32, 64):
        view = View((side, side), CutConfig())
        assert np.array_equal(np.asarray(fast[0].seen(view)), np.asarray(exact[0].seen(view)))
