"""The check of a model: its description run on photographs step by step, and held against labels."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.application.operation import Operation
from facemon.application.predict_paths import refuse_paths, refuse_without_boxes
from facemon.domain.image_input import shown_name
from facemon.errors import FacemonError, UsageError
from facemon.near_names import did_you_mean
from facemon.printable import printable

if TYPE_CHECKING:
    from facemon.application.description_trial import DescriptionTrial
    from facemon.application.model_check_answer import ModelCheck
    from facemon.config.model import AttributeConfig
    from facemon.model.bundle import Bundle
    from facemon.model.check.image_steps import ImageSteps, KeepCrop
    from facemon.model.faces import Face
    from facemon.model.image_reading import ImageReader
    from facemon.predict.image_source import ImageSource


@dataclass(frozen=True, slots=True)
class ModelCheckRequest:
    """Which photographs and labels a model is checked with."""

    paths: Sequence[str]
    labels: Path | None = None
    attribute: str | None = None
    """The only attribute that is looked at; None for all."""
    crops: Path | None = None
    """The folder that takes what each network is shown."""


def check_model(operation: Operation, request: ModelCheckRequest) -> "ModelCheck":
    """Run the model's description on photographs; nothing is logged."""
    from facemon.evaluation.true_labels import read_true_labels
    from facemon.model.decoding import silence_pillow
    from facemon.model.factory import ModelFactory

    config, paths = operation.config, request.paths
    refuse_paths(paths, "correct the path", reads_urls=False)
    refuse_without_boxes(config, paths)
    _refuse_crops_among(paths, request.crops)
    attributes = _chosen(config.model.attributes, request.attribute)
    true_labels = None if request.labels is None else read_true_labels(request.labels, attributes, config.tables)
    images = _images(operation, paths)
    silence_pillow()
    bundle = ModelFactory.of(config).bundle()
    for note in bundle.notes:
        operation.reporter.say(note)
    trial = None
    if true_labels is not None:
        from facemon.application.description_trial import DescriptionTrial

        trial = DescriptionTrial(bundle, true_labels, attributes)
    return _checked(operation, bundle, images, attributes, trial, request.crops)


def _checked(
    operation: Operation,
    bundle: "Bundle",
    images: "ImageSource",
    attributes: "Sequence[AttributeConfig]",
    trial: "DescriptionTrial | None",
    crops: Path | None,
) -> "ModelCheck":
    from facemon.application.model_check_answer import ModelCheck
    from facemon.model.check.image_steps import steps_of
    from facemon.model.check.suspicions import suspicions
    from facemon.model.image_reading import ImageReader

    reader, at, keep = ImageReader(bundle, operation.config.predict), datetime.now(UTC), _keeper(crops)
    steps: list[ImageSteps] = []
    with operation.reporter.progress("check", "images") as progress:
        for given in images:
            steps.append(steps_of(bundle, reader, given, at, keep, trial.add if trial else None))
            progress.advance(1)
    for remark in images.skipped.remarks:
        operation.reporter.say(remark)
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


def _images(operation: Operation, paths: Sequence[str]) -> "ImageSource":
    from facemon.predict.image_source import ImageSource
    from facemon.predict.inputs.path_list import LIST
    from facemon.predict.inputs.registry import are_read_once

    if LIST in paths:
        raise UsageError("model check takes no list on stdin", "name the images, their folder or a manifest")
    if compressed := next((path for path in paths if are_read_once([path])), None):
        shown = printable(shown_name(compressed))
        raise UsageError(
            f"{shown}: model check reads images twice, which a compressed archive does not allow",
            f"decompress it and name the .tar: gzip -dk {shlex.quote(shown)}",
        )
    return ImageSource(
        paths,
        tables=operation.config.tables,
        formats=operation.config.predict.formats,
        opens=lambda archive: archive.is_counted,
    )


def _refuse_crops_among(paths: Sequence[str], crops: Path | None) -> None:
    """UsageError for pictures that this run, or the next one, would take for photographs."""
    from facemon.predict.folder_walk import is_folder

    for path in paths:
        if crops is not None and is_folder(path) and crops.resolve().is_relative_to(Path(path).resolve()):
            raise UsageError(
                f"--crops {crops} lies in {path}, and its pictures would be checked like photographs",
                f"name a folder outside {path}",
            )


def _chosen(attributes: "Sequence[AttributeConfig]", name: str | None) -> "Sequence[AttributeConfig]":
    if name is None:
        return attributes
    names = [each.name for each in attributes]
    if name not in names:
        hint = did_you_mean(name, names, f"it has {', '.join(names)}")
        raise UsageError(f"--attribute {name}: the model has no such attribute", hint)
    return [each for each in attributes if each.name == name]
