"""An evaluation as tables, with remarks on how labels were matched and what was left out."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from facemon.domain.counted import counted
from facemon.reports.printed_parts import Part, Remark, Table, Tone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facemon.evaluation.evaluation import Evaluation
    from facemon.evaluation.scores import AttributeScore

_UNKNOWN = "-"
_COLUMNS = ("attribute", "labelled", "accuracy", "95 % interval", "balanced", "calibration error", "mean abs. error")


def evaluation_report(result: "Evaluation", observed_since: str | None) -> Iterator[Part]:
    """Yield the scores over all and by source, the confusion of each attribute, then the remarks.

    `observed_since` is how the caller said since when images were searched; None for all.
    """
    yield _scores("all sources" if result.by_source else None, result.scores)
    for source, scores in result.by_source.items():
        yield _scores(f"source {source}" if source is not None else "no source", scores)
    for score in result.scores:
        if score.labelled and score.classes:
            yield _confusion(score)
    yield from _remarks(result)
    for text in _unmatched(result, observed_since):
        yield Remark(text, Tone.WARN)  # in quiet mode too


def not_compared_labels(model: str, attributes: "Sequence[str]") -> str:
    """Why labels of attributes were not compared that the model has and the configuration does not describe."""
    names = ", ".join(attributes)
    return (
        f"labels of {names} were not compared: {model} predicted {names}, which the configuration does not describe; "
        f"compare with the configuration of {model} (facemon -c FILE)"
    )


def _remarks(result: "Evaluation") -> Iterator[Remark]:
    for how, count in result.matched_by:
        yield Remark(f"matched by {how}: {count}")
    if result.unlabelled:
        yield Remark(f"no column for {', '.join(result.unlabelled)}")
    for forgiven in result.forgiven:
        found = _examples(forgiven.examples, forgiven.count)
        labels = counted(forgiven.count, f"label of {forgiven.attribute} was", f"labels of {forgiven.attribute} were")
        yield Remark(f"{labels} matched ignoring case or spaces{found}")
    for score in result.scores:
        if beyond := sum(score.beyond):
            values = f"{beyond} of {score.labelled} true values of {score.attribute}"
            yield Remark(f"{values} lie in no band: counted as wrong")
    for each in result.left_out:
        text = f"{each.count} of {result.labels} labels {each.reason}{_examples(each.examples, each.count)}"
        yield Remark(text, Tone.WARN if each.is_trouble else Tone.SAY)
        if each.hint:
            yield Remark(f"which image is meant? {each.hint}", Tone.WARN)


def _unmatched(result: "Evaluation", observed_since: str | None) -> Iterator[str]:
    """Names of the log, and what would bring them and the labels together."""
    if (unmatched := result.unmatched) is None:
        return
    if unmatched.logged:
        yield f"the labels name {', '.join(unmatched.labels)}; the log names {', '.join(unmatched.logged)}"
    yield from unmatched.hints
    if observed_since is not None:
        yield f"images taken before --observed-since {observed_since} were not searched"


def _scores(title: str | None, scores: "Sequence[AttributeScore]") -> Table:
    rows = (
        (
            score.attribute,
            str(score.labelled),
            _share(score.accuracy),
            " to ".join(map(_share, score.interval)) if score.interval else _UNKNOWN,
            _share(score.balanced_accuracy),
            _UNKNOWN if score.calibration_error is None else f"{score.calibration_error:.3f}",
            _UNKNOWN if score.mean_absolute_error is None else f"{score.mean_absolute_error:.3g}",
        )
        for score in scores
    )
    return Table(_COLUMNS, tuple(rows), title)


def _confusion(score: "AttributeScore") -> Table:
    columns = (*score.classes, *(["another label"] if len(score.confusion[0]) > len(score.classes) else []))
    rows = [(label, *map(str, row)) for label, row in zip(score.classes, score.confusion, strict=True)]
    if score.beyond:
        rows.append(("in no band", *map(str, score.beyond)))
    return Table((f"true {score.attribute}", *columns), tuple(rows), f"{score.attribute}: true by predicted")


def _examples(examples: "Sequence[str]", count: int) -> str:
    if not examples:
        return ""
    return f": {', '.join(examples)}{' …' if count > len(examples) else ''}"


def _share(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:.1%}".replace("%", " %")
