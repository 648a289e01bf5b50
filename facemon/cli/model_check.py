"""`facemon model check`: the model's description, run on photographs and shown step by step."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facemon.application.predict_paths import refuse_paths, refuse_without_boxes
from facemon.cli.print_format import FormatOption, PrintFormat
from facemon.cli.session import Session
from facemon.errors import ExitCode, FacemonError, UsageError

if TYPE_CHECKING:
    from facemon.cli.description_trial import DescriptionTrial
    from facemon.cli.model_check_document import ModelCheck
    from facemon.config.model import AttributeConfig
    from facemon.model.bundle import Bundle
    from facemon.model.check.image_steps import ImageSteps, KeepCrop
    from facemon.model.faces import Face
    from facemon.model.image_reading import ImageReader
    from facemon.predict.image_source import ImageSource

_PathsArgument = Annotated[
    list[str], typer.Argument(metavar="FILE…", help="Images, directories (with all below) or manifests.")
]
_LabelsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="TABLE",
        help="Hold the attributes against this table of true labels, as evaluate reads it, and try the usual other "
        "descriptions.",
    ),
]
_AttributeOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="Look at this attribute only (default: all).")
]
_CropsOption = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Write what each network is shown of each face into DIR, as PNG.")
]


def check(
    session: Session,
    paths: _PathsArgument,
    labels: _LabelsOption = None,
    attribute: _AttributeOption = None,
    crops: _CropsOption = None,
    format_: FormatOption = PrintFormat.TEXT,
) -> ExitCode:
    """Run the model's description on photographs and show each step; exit 3 when something looks wrong.

    Shows the faces, the crop, the tensor's statistics, the raw outputs and the
    attributes. With labels it tries other channel orders, normalisations, ways
    to fit and resize, margins and label orders, and tells which fits better.

    Log nothing. Exit 4 when no face is found, or when there are too few labels to decide.
    """
    from facemon.cli.model_check_output import print_check
    from facemon.evaluation.true_labels import read_true_labels
    from facemon.model.bundle import load_bundle
    from facemon.model.decoding import silence_pillow

    config = session.config
    refuse_paths(paths, "correct the path")
    refuse_without_boxes(config, paths)
    _refuse_crops_among(paths, crops)
    attributes = _chosen(config.model.attributes, attribute)
    true_labels = None if labels is None else read_true_labels(labels, attributes, config.tables)
    images = _images(session, paths)
    silence_pillow()
    bundle = load_bundle(config.model, config.predict)
    for note in bundle.notes:
        session.console.say(note)
    trial = None
    if true_labels is not None:
        from facemon.cli.description_trial import DescriptionTrial

        trial = DescriptionTrial(bundle, true_labels, attributes)
    result = _checked(session, bundle, images, attributes, trial, crops)
    code = result.code
    if not session.console.is_quiet or code is not ExitCode.OK:
        print_check(session, result, format_)
    if code is ExitCode.FAILED:
        raise FacemonError(
            f"{result.failed} of {len(result.images)} images could not be read", "the result says why for each of them"
        )
    return code


def _checked(
    session: Session,
    bundle: "Bundle",
    images: "ImageSource",
    attributes: "Sequence[AttributeConfig]",
    trial: "DescriptionTrial | None",
    crops: Path | None,
) -> "ModelCheck":
    from facemon.cli.model_check_document import ModelCheck
    from facemon.model.check.image_steps import steps_of
    from facemon.model.check.suspicions import suspicions
    from facemon.model.image_reading import ImageReader

    reader, at, keep = ImageReader(bundle, session.config.predict), datetime.now(UTC), _keeper(crops)
    steps: list[ImageSteps] = []
    with session.console.progress("check", "images") as progress:
        for given in images:
            steps.append(steps_of(bundle, reader, given, at, keep, trial.add if trial else None))
            progress.advance(1)
    if images.skipped.total:
        session.console.say(str(images.skipped))
    found = None if trial is None else trial.result(steps, at, _again(reader, steps))
    return ModelCheck(
        bundle.config.id, bundle.fingerprint, tuple(attributes), tuple(steps),
        tuple(suspicions(bundle, steps, attributes)), found, crops,
    )  # fmt: skip


def _again(reader: "ImageReader", steps: "Sequence[ImageSteps]") -> "Callable[[Callable[[Face], None]], None]":
    """Reads the images that had faces once more: to keep the pixels of all would need gigabytes."""
    from facemon.model.check.image_steps import faces_in

    def run(use: "Callable[[Face], None]") -> None:
        for image in steps:
            if image.faces:
                faces = faces_in(reader, image.outcome.given)
                if len(faces) != len(image.faces):
                    name = image.outcome.given.name
                    raise FacemonError(f"{name}: changed while it was checked", "run the check again")
                for face in faces:
                    use(face)

    return run


def _keeper(crops: Path | None) -> "KeepCrop | None":
    if crops is None:
        return None
    from facemon.model.check.crop_files import CropFiles

    files = CropFiles(crops)
    files.prepare()
    return files.keep


def _images(session: Session, paths: Sequence[str]) -> "ImageSource":
    from facemon.predict.image_source import LIST, ImageSource

    if LIST in paths:
        raise UsageError("model check takes no list on stdin", "name the images, their folder or a manifest")
    return ImageSource(paths, tables=session.config.tables, formats=session.config.predict.formats)


def _refuse_crops_among(paths: Sequence[str], crops: Path | None) -> None:
    """UsageError for pictures that this run, or the next one, would take for photographs."""
    for path in paths:
        if crops is not None and Path(path).is_dir() and crops.resolve().is_relative_to(Path(path).resolve()):
            raise UsageError(
                f"--crops {crops} lies in {path}, and its pictures would be checked like photographs",
                f"name a folder outside {path}",
            )


def _chosen(attributes: "Sequence[AttributeConfig]", name: str | None) -> "Sequence[AttributeConfig]":
    if name is None:
        return attributes
    names = [each.name for each in attributes]
    if name not in names:
        near = get_close_matches(name, names, n=1)
        raise UsageError(
            f"--attribute {name}: the model has no such attribute",
            f"did you mean {near[0]}?" if near else f"it has {', '.join(names)}",
        )
    return [each for each in attributes if each.name == name]
