"""What `facemon model check` found: its exit code, and the object of `facemon.model_check/1`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facemon.domain.prediction import ErrorCode
from facemon.errors import ExitCode
from facemon.evaluation.alternative_scores import TrialVerdict

if TYPE_CHECKING:
    from facemon.config.model import AttributeConfig
    from facemon.evaluation.alternative_scores import Trial
    from facemon.model.check.image_steps import AttributeRead, FaceSteps, ImageSteps, NetworkSteps
    from facemon.model.check.suspicions import Suspicion
    from facemon.reports.printed_parts import Part

_SCHEMA = "facemon.model_check/1"
_VERDICTS = {
    ExitCode.OK: "ok", ExitCode.FOUND: "found", ExitCode.FAILED: "failed", ExitCode.UNDECIDED: "undecided",
}  # fmt: skip


@dataclass(frozen=True)
class ModelCheck:
    """What a check of the model found."""

    model: str
    fingerprint: str
    attributes: "Sequence[AttributeConfig]"
    images: "Sequence[ImageSteps]"
    suspicions: "Sequence[Suspicion]"
    trial: "Trial | None"
    crops: Path | None

    @property
    def failed(self) -> int:
        """Images that could not be read or decoded."""
        problems = [image.outcome.problem for image in self.images]
        return sum(problem is not None and problem.code is not ErrorCode.NO_FACE for problem in problems)

    @cached_property
    def faces(self) -> int:
        """Faces in all images."""
        return sum(len(image.faces) for image in self.images)

    @property
    def has_labels_in_trouble(self) -> bool:
        """Whether labels match nothing, or cannot be used."""
        if self.trial is None:
            return False
        nothing = not any(each.labelled for each in self.trial.attributes)
        return nothing or any(each.is_trouble for each in self.trial.left_out)

    @property
    def code(self) -> ExitCode:
        """Found goes before failed, failed before undecided."""
        verdicts = [each.verdict for each in self.trial.attributes] if self.trial else []
        if self.suspicions or TrialVerdict.BETTER in verdicts or (self.faces and self.has_labels_in_trouble):
            return ExitCode.FOUND
        if self.failed:
            return ExitCode.FAILED
        if not self.faces or TrialVerdict.UNDECIDED in verdicts or TrialVerdict.NOT_COMPARED in verdicts:
            return ExitCode.UNDECIDED
        return ExitCode.OK

    def report(self) -> "Iterator[Part]":
        """What is printed: the steps of some images, what looks wrong, and what labels say."""
        from facemon.reports.model_check_report import model_check_report

        return model_check_report(self.images, self.attributes, self.suspicions, self.trial, self.crops)

    def document(self) -> dict[str, Any]:
        """The object of `facemon.model_check/1`; what is not known is null."""
        return {
            "schema": _SCHEMA,
            "model": self.model,
            "fingerprint": self.fingerprint,
            "verdict": _VERDICTS[self.code],
            "images": [_image(image, self.attributes) for image in self.images],
            "suspicions": [
                {"code": each.code, "where": each.where, "message": each.message, "hint": each.hint}
                for each in self.suspicions
            ],
            "labels": self.trial and _labels(self.trial),
        }


def _labels(trial: "Trial") -> dict[str, Any]:
    return {
        "labels": trial.labels,
        "matched_by": [{"by": how, "count": count} for how, count in trial.matched_by],
        "left_out": [
            {"reason": each.reason, "count": each.count, "examples": list(each.examples)} for each in trial.left_out
        ],
        "unlabelled": list(trial.unlabelled),
        "attributes": [each.document() for each in trial.attributes],
    }


def _image(image: "ImageSteps", attributes: "Sequence[AttributeConfig]") -> dict[str, Any]:
    problem = image.outcome.problem
    return {
        "image": image.outcome.given.name,
        "image_sha256": image.outcome.sha256,
        "size": image.size and list(image.size),
        "orientation": image.orientation,
        "error": problem and problem.code.value,
        "error_message": problem and problem.message,
        "faces": [_face(number, face, attributes) for number, face in enumerate(image.faces)],
    }


def _face(number: int, face: "FaceSteps", attributes: "Sequence[AttributeConfig]") -> dict[str, Any]:
    return {
        "face": number,
        "box": face.box and list(face.box),
        "confidence": face.confidence,
        "landmarks": face.points and [list(point) for point in face.points],
        "networks": [_network(network) for network in face.networks],
        "attributes": {each.name: _read(face.attributes[each.name]) for each in attributes},
    }


def _network(network: "NetworkSteps") -> dict[str, Any]:
    return {
        "network": network.network,
        "crop": list(network.crop),
        "files": list(network.files),
        "usual_range": list(network.usual),
        "channels": [
            {
                "channel": each.name, "min": each.min, "mean": each.mean, "max": each.max, "std": each.std,
                "outside_usual": each.unusual, "not_numbers": each.no_number,
            }
            for each in network.channels
        ],
        "outputs": [
            {
                "output": each.name, "count": each.count, "first": list(each.numbers), "min": each.min, "max": each.max,
                "sum": each.sum, "not_numbers": each.no_number,
            }
            for each in network.outputs
        ],
    }  # fmt: skip


def _read(read: "AttributeRead") -> dict[str, Any]:
    return {
        "label": read.label,
        "confidence": read.confidence,
        "value": read.value,
        "error_message": read.fault and read.fault.message,
    }
