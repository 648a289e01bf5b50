"""What `facemon model check` prints: the steps of some photographs, what looks wrong, and what labels say."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from facemon.cli.print_format import PrintFormat
from facemon.cli.session import Session
from facemon.evaluation.alternative_scores import TrialVerdict
from facemon.evaluation.paired_scores import RELEVANT
from facemon.printable import printable

if TYPE_CHECKING:
    from facemon.application.description_trial import Trial
    from facemon.application.model_check_answer import ModelCheck
    from facemon.evaluation.alternative_scores import AlternativeScore, AttributeTrial, Interval
    from facemon.model.check.image_steps import AttributeRead, FaceSteps, ImageSteps, NetworkSteps

_SHOWN_IMAGES = 3
_SHOWN_NUMBERS = 4
_UNKNOWN = "-"
_TURNS = {
    1: "upright", 2: "mirrored", 3: "upside down", 4: "upside down, mirrored", 5: "turned left, mirrored",
    6: "turned left", 7: "turned right, mirrored", 8: "turned right",
}  # fmt: skip
"""How EXIF says that the stored pixels lie; facemon turns them upright."""


def print_check(session: Session, result: "ModelCheck", format_: PrintFormat) -> None:
    """Print a check as text or as the object of `facemon.model_check/1`."""
    console = session.console
    if format_ is PrintFormat.JSON:
        console.document(result.document(), indent=2)
        return
    shown = 0
    for image in result.images:
        if image.outcome.problem is not None or shown < _SHOWN_IMAGES:
            _print_image(session, result, image)
            shown += bool(image.faces)
    if (more := sum(bool(image.faces) for image in result.images) - shown) > 0:
        console.result(f"The steps of {more} more images are not shown; --format json has them all.\n")
    for each in result.suspicions:
        for line in (f"{each.where}: {each.message}", f"  hint: {each.hint}"):
            console.result(printable(line))
    if result.trial is not None:
        _print_trial(session, result.trial)
    console.result(_summary(result))


def _summary(result: "ModelCheck") -> str:
    count = f"{_plural(len(result.images), 'image')}, {_plural(result.faces, 'face')}"
    if not result.faces:
        return f"{count}: nothing to check"
    wrong = len(result.suspicions)
    return f"{count}: {_plural(wrong, 'thing looks', 'things look') if wrong else 'nothing looks'} wrong"


def _print_image(session: Session, result: "ModelCheck", image: "ImageSteps") -> None:
    console, name = session.console, printable(image.outcome.given.name)
    size = "" if image.size is None else f": {image.size[0]} x {image.size[1]} pixels"
    turn = f", EXIF orientation {image.orientation}" if image.orientation is not None else ""
    meaning = f" ({_TURNS[image.orientation]})" if image.orientation in _TURNS else ""
    problem = image.outcome.problem
    trouble = f": {problem.code.value}: {printable(problem.message)}" if problem else ""
    console.result(f"{name}{size}{turn}{meaning}{trouble}")
    for number, face in enumerate(image.faces):
        console.result(_face_line(number, face))
        for network in face.networks:
            width, height = network.crop
            console.result(f"{printable(network.network)}: crop {width} x {height} pixels")
            for file in network.files:
                console.result(f"  wrote {printable(str(result.crops))}/{file}")
            console.table(_CHANNEL_COLUMNS, list(_channels(network)))
            console.table(("output", "numbers", "min", "max", "sum", "first"), list(_outputs(network)))
        rows = [(each.name, *_attribute(face.attributes[each.name])) for each in result.attributes]
        console.table(("attribute", "label", "confidence", "value"), rows)
    console.result("")


def _face_line(number: int, face: "FaceSteps") -> str:
    if face.box is None:
        return f"face {number}: the whole image"
    score = "" if face.confidence is None else f", score {face.confidence:.3g}"
    return f"face {number}: box {', '.join(map(str, face.box))}{score}{', 5 landmarks' if face.points else ''}"


_CHANNEL_COLUMNS = ("channel", "min", "mean", "max", "std", "outside usual range", "not numbers")


def _channels(network: "NetworkSteps") -> Iterator[tuple[str, ...]]:
    low, high = network.usual
    for each in network.channels:
        outside = f"{each.unusual:.0%} ({low:g} to {high:g})".replace("%", " %")
        numbers = map(_number, (each.min, each.mean, each.max, each.std))
        yield each.name, *numbers, outside, str(each.no_number)


def _outputs(network: "NetworkSteps") -> Iterator[tuple[str, ...]]:
    for each in network.outputs:
        first = ", ".join(map(_number, each.numbers[:_SHOWN_NUMBERS]))
        more = " …" if each.count > _SHOWN_NUMBERS else ""
        yield each.name, str(each.count), *map(_number, (each.min, each.max, each.sum)), f"{first}{more}"


def _attribute(read: "AttributeRead") -> tuple[str, str, str]:
    if read.fault is not None:
        return "cannot be read", _UNKNOWN, _UNKNOWN
    return read.label or _UNKNOWN, _number(read.confidence), _number(read.value)


def _print_trial(session: Session, trial: "Trial") -> None:
    console = session.console
    for how, count in trial.matched_by:
        console.say(f"matched by {how}: {count}")
    if trial.unlabelled:
        console.say(f"no column for {', '.join(trial.unlabelled)}")
    for each in trial.left_out:
        examples = f": {', '.join(each.examples)}" if each.examples else ""
        (console.warn if each.is_trouble else console.say)(f"{each.count} labels {each.reason}{examples}")
    if not any(each.labelled for each in trial.attributes):
        console.warn(f"none of the {trial.labels} labels is about a face of these photographs")
    for attribute in trial.attributes:
        if attribute.value is not None:
            _print_alternatives(session, attribute)
        console.result(f"{_sentence(attribute)}\n")


def _print_alternatives(session: Session, trial: "AttributeTrial") -> None:
    measure = "accuracy" if trial.measure == "accuracy" else "mean error"
    columns = ("description", measure, "interval", "gain", "interval", "p (Holm)")
    own = ("as described", *_scores(trial, trial.value, trial.interval), "", "", "")
    rows = [own, *(_alternative(trial, each) for each in trial.alternatives)]
    session.console.table(
        columns, rows, title=f"{trial.attribute}: {_plural(trial.labelled, 'labelled face')}, 95 % intervals"
    )
    if trial.unreadable:
        session.console.result(f"the outputs cannot be read with {', '.join(trial.unreadable)}")
    if trial.combined and trial.best is not None:
        together = f"{trial.attribute}: {trial.best.change} together with another change, compared with it alone"
        begin = f"{trial.best.change}; "
        rows = [
            (change.removeprefix(begin), *rest)
            for change, *rest in (_alternative(trial, each) for each in trial.combined)
        ]
        session.console.table(columns, rows, title=together)


def _alternative(trial: "AttributeTrial", score: "AlternativeScore") -> tuple[str, ...]:
    own = score.change, *_scores(trial, score.value, score.interval)
    if score.pair.is_same:
        return *own, "the same", "", ""
    gain, low, high = (_short(trial, each, "+") for each in (score.pair.gain, *score.pair.gain_interval()))
    return *own, gain, f"{low} to {high}", f"{score.p_adjusted:.1g}"


def _scores(trial: "AttributeTrial", value: float | None, interval: "Interval | None") -> tuple[str, str]:
    return _measure(trial, value), _UNKNOWN if interval is None else " to ".join(
        _short(trial, each) for each in interval
    )


def _short(trial: "AttributeTrial", value: float, sign: str = "") -> str:
    """A number of a table, which has no room for more digits than an interval means."""
    if trial.measure != "accuracy":
        return f"{value:{sign}.3g}"
    return f"{value * 100:{sign}.0f}" if abs(value) >= 0.1 else f"{value * 100:{sign}.1f}"


def _sentence(trial: "AttributeTrial") -> str:
    name, count = trial.attribute, _plural(trial.labelled, "label")
    if trial.best is not None:
        return _better(trial, trial.best)
    match trial.verdict:
        case TrialVerdict.NOT_COMPARED:
            why = "its outputs cannot be read as described" if trial.labelled else "no label is about a face"
            return f"{name}: not compared: {why}"
        case TrialVerdict.AS_GOOD | TrialVerdict.BETTER:
            limit = f"{RELEVANT * 100:.0f} {'points' if trial.measure == 'accuracy' else '% of the mean error'}"
            return f"{name}: none of the {len(trial.alternatives)} usual alternatives fits better by {limit} or more"
        case TrialVerdict.UNDECIDED:
            needed = trial.labels_needed
            hint = f"about {needed:,} would, if the shares stay the same" if needed else "more are needed"
            return f"{name}: {count} cannot tell whether another description fits better: {hint}"


def _better(trial: "AttributeTrial", best: "AlternativeScore") -> str:
    combined = trial.best_combined
    found = combined or best
    low, high = best.pair.gain_interval()
    gain = f"{_measure(trial, low, sign=True)} to {_measure(trial, high, sign=True)}"
    alone = f" ({best.change} alone: {_measure(trial, best.value)})" if combined else ""
    also = [each.change for each in trial.alternatives if each.is_better and each is not best]
    return "\n".join([
        f"{trial.attribute}: another description fits better: {found.change}",
        f"  {_measure(trial, found.value)} instead of {_measure(trial, trial.value)}{alone}",
        f"  gain of {best.change}: {gain} (95 % interval), p {best.p_adjusted:.2g}",
        *([f"  better than as described, too: {', '.join(also)}"] if also else []),
        "  hint: compare this step with the code that trained the network; the change is written as",
        f"        {trial.to_write}",
    ])  # fmt: skip


def _measure(trial: "AttributeTrial", value: float | None, *, sign: bool = False) -> str:
    if value is None:
        return _UNKNOWN
    if trial.measure == "accuracy":
        return f"{value * 100:+.3g}" if sign else f"{value * 100:.3g} %"
    return f"{value:+.3g}" if sign else f"{value:.3g}"


def _number(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:.4g}"


def _plural(count: int, one: str, more: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else more or one + 's'}"
