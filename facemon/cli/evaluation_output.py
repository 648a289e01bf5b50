"""What `facemon evaluate` prints: scores on stdout, and on stderr how labels were matched and what was left out."""

from typing import TYPE_CHECKING

from facemon.cli.print_format import PrintFormat
from facemon.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facemon.application.evaluation import EvaluationAnswer
    from facemon.evaluation.evaluation import Evaluation
    from facemon.evaluation.scores import AttributeScore

_UNKNOWN = "-"


def print_evaluation(session: Session, result: "Evaluation", format_: PrintFormat, observed_since: str | None) -> None:
    """Print an evaluation as text or as the object of `facemon.evaluation/1`."""
    console = session.console
    if format_ is PrintFormat.JSON:
        console.document(result.document(), indent=2)
        return
    _print_scores(session, "all sources" if result.by_source else None, result.scores)
    for source, scores in result.by_source.items():
        _print_scores(session, f"source {source}" if source is not None else "no source", scores)
    for score in result.scores:
        _print_confusion(session, score)
    for how, count in result.matched_by:
        console.say(f"matched by {how}: {count}")
    if result.unlabelled:
        console.say(f"no column for {', '.join(result.unlabelled)}")
    for forgiven in result.forgiven:
        found = _examples(forgiven.examples, forgiven.count)
        console.say(f"{forgiven.count} labels of {forgiven.attribute} were matched ignoring case or spaces{found}")
    for score in result.scores:
        if beyond := sum(score.beyond):
            console.say(
                f"{beyond} of {score.labelled} true values of {score.attribute} lie in no band: counted as wrong"
            )
    for each in result.left_out:
        tell = console.warn if each.is_trouble else console.say
        tell(f"{each.count} of {result.labels} labels {each.reason}{_examples(each.examples, each.count)}")
    _print_unmatched(session, result, observed_since)


def tell_what_counts(session: Session, found: "EvaluationAnswer") -> None:
    """Say what the metrics do not take over from this evaluation."""
    result = found.result
    least = session.config.evaluate.min_labels
    if not result.has_scores:
        session.console.warn("no label was compared: model_accuracy and evaluate's last success stay as they were")
    elif not found.has_accuracy:
        few = f"no attribute has {least} labels (evaluate.min_labels)"
        session.console.warn(f"{few}: model_accuracy and evaluate's last success stay as they were")
    for attribute, (_, labelled) in result.counts.items():
        if labelled < least:
            few = f"{attribute} has {labelled} of {least} labels (evaluate.min_labels)"
            session.console.say(f"{few}: model_accuracy stays as it was")


def _print_unmatched(session: Session, result: "Evaluation", observed_since: str | None) -> None:
    """Names of the log, and what would bring them and the labels together; in quiet mode too, as the warning."""
    if (unmatched := result.unmatched) is None:
        return
    warn = session.console.warn
    if unmatched.logged:
        warn(f"the labels name {', '.join(unmatched.labels)}; the log names {', '.join(unmatched.logged)}")
    for hint in unmatched.hints:
        warn(hint)
    if observed_since is not None:
        warn(f"images taken before --observed-since {observed_since} were not searched")


def _print_scores(session: Session, title: str | None, scores: "Sequence[AttributeScore]") -> None:
    columns = ("attribute", "labelled", "accuracy", "95 % interval", "balanced", "calibration error", "mean abs. error")
    rows = [
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
    ]
    session.console.table(columns, rows, title=title)


def _print_confusion(session: Session, score: "AttributeScore") -> None:
    if not score.labelled or not score.classes:
        return
    columns = (*score.classes, *(["another label"] if len(score.confusion[0]) > len(score.classes) else []))
    rows = [(label, *map(str, row)) for label, row in zip(score.classes, score.confusion, strict=True)]
    if score.beyond:
        rows.append(("in no band", *map(str, score.beyond)))
    session.console.table((f"true {score.attribute}", *columns), rows, title=f"{score.attribute}: true by predicted")


def _examples(examples: "Sequence[str]", count: int) -> str:
    if not examples:
        return ""
    return f": {', '.join(examples)}{' …' if count > len(examples) else ''}"


def _share(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:.1%}".replace("%", " %")
