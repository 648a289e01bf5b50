"""What each column of the log holds that every model's log has."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogColumn:
    """The type of a column's cells, and what they say."""

    type: str
    help: str
    unit: str = ""
    """The title of an axis of its values."""


_TEXT, _WHOLE, _NUMBER, _TIME = "text", "whole number", "number", "time in UTC, to the microsecond"
LOG_COLUMN_HELP = {
    "run": LogColumn(_TEXT, "The run that predicted the row; a run of predict, of the API or of Monitor."),
    "ordinal": LogColumn(_WHOLE, "The place of the image among the inputs of its run, from 0 on."),
    "image": LogColumn(_TEXT, "The path or name of the image, as it was given."),
    "image_sha256": LogColumn(_TEXT, "The SHA-256 of the image's bytes."),
    "face": LogColumn(_WHOLE, "The number of the face in its image, from 0 on; null where the image has an error."),
    "box": LogColumn("list of whole numbers", "Left, top, right and bottom of the face in pixels, inclusive."),
    "observed_at": LogColumn(_TIME, "When the image was taken or seen; windows and retention go by it."),
    "predicted_at": LogColumn(_TIME, "When the model predicted."),
    "model": LogColumn(_TEXT, "The model, as NAME@VERSION."),
    "source": LogColumn(_TEXT, "Where the image comes from, such as a camera; null where it was not told."),
    "origin": LogColumn(_TEXT, "Who asked for the prediction: batch or api."),
    "error": LogColumn(_TEXT, "Why the image has no attributes, such as no_face or unreadable; else null."),
    "error_message": LogColumn(_TEXT, "The error in words."),
    "image_id": LogColumn(_TEXT, "The identifier that a manifest gave the image."),
    "face_confidence": LogColumn(_NUMBER, "The score of the face finder for the face."),
}
IMAGE_COLUMN_HELP = {
    "image_brightness": LogColumn(_NUMBER, "Mean luma of the image, from 0 (black) to 1 (white).", "mean luma, 0 to 1"),
    "image_contrast": LogColumn(
        _NUMBER, "Standard deviation of the luma, from 0 to 0.5.", "standard deviation of the luma, 0 to 0.5"
    ),
    "image_sharpness": LogColumn(
        _NUMBER, "Variance of the Laplacian of the luma; low in a blurred image.", "variance of the Laplacian"
    ),
    "image_saturation": LogColumn(
        _NUMBER, "Mean saturation of the pixels, from 0 (gray) to 1 (pure colours).", "mean saturation, 0 to 1"
    ),
    "image_size": LogColumn(_NUMBER, "Megapixels of the upright image.", "megapixels"),
    "image_face_share": LogColumn(
        _NUMBER, "The share of the image that the face covers, from 0 to 1.", "share of the image, 0 to 1"
    ),
    "image_failed": LogColumn(
        "yes or no", "Whether the image could not be read; derived for the check from `error`.", "could not be read"
    ),
    "image_no_face": LogColumn(
        "yes or no", "Whether no face was found; derived for the check from `error`.", "no face found"
    ),
    "image_faces": LogColumn(
        _WHOLE, "How many faces the image has; derived for the check from the rows of an image.", "faces in an image"
    ),
}
