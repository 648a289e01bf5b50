"""What the death of a worker process says of the images that it worked on."""

from dataclasses import replace

from facemon.fork_server import Ending
from facemon.values.image_input import ImageInput, ImageProblem
from facemon.values.prediction import ErrorCode

MOST_DEATHS = 2
"""An image whose worker died so often is not tried again."""


def is_to_blame(images: int, deaths: int, ending: Ending) -> bool:
    """Whether an image gets an error because its worker died, as the last of `deaths`, beside so many `images` in all.

    A worker that had several may have died of another one's: each is tried once more, alone. One that was alone with a
    worker that crashed is to blame; a worker that was killed from outside may have been killed for anything, once.
    """
    if images > 1:
        return False
    return deaths >= MOST_DEATHS or not ending.is_from_outside


def blamed(image: ImageInput, ending: Ending) -> ImageInput:
    """The image with the error that a worker gives it, without looking at it again."""
    message = f"the process that predicted it was {ending}"
    return replace(image, problem=ImageProblem(ErrorCode.CRASHED, message))
