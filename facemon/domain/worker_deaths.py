"""What the death of a worker process says of the images that it worked on."""

from facemon.domain.image_input import ImageInput, ImageProblem
from facemon.domain.prediction import ErrorCode
from facemon.fork_server import Ending

MOST_DEATHS = 2
"""An image that was alone with so many workers that died is not tried again."""


def is_to_blame(deaths: int, ending: Ending) -> bool:
    """Whether an image gets an error because the worker died that had it alone, as the last of `deaths`.

    Of a worker that had several images each may be innocent, and is tried again, alone. A worker that crashed did so
    because of its image; one that was killed from outside may have been killed for anything, once.
    """
    return deaths >= MOST_DEATHS or not ending.is_from_outside


def blamed(image: ImageInput, ending: Ending) -> ImageInput:
    """The image with the error that a worker gives it, without looking at it again."""
    code = ErrorCode.CRASHED if ending.late_after is None else ErrorCode.TOO_SLOW
    return image._replace(problem=ImageProblem(code, f"the process that predicted it was {ending}"))
