"""What true labels say of a model's description: each attribute beside the usual other descriptions."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from facemon.domain.counted import counted
from facemon.evaluation.alternative_scores import TrialVerdict
from facemon.evaluation.paired_scores import RELEVANT
from facemon.reports.printed_parts import Part, Remark, Table, Tone

if TYPE_CHECKING:
    from facemon.evaluation.alternative_scores import AlternativeScore, AttributeTrial, Interval, Trial

_UNKNOWN = "-"


def trial_report(trial: "Trial") -> Iterator[Part]:
    """Yield how labels were matched as remarks, then a table of alternatives and a sentence for each attribute."""
    for how, count in trial.matched_by:
        yield Remark(f"matched by {how}: {count}")
    if trial.unlabelled:
        yield Remark(f"no column for {', '.join(trial.unlabelled)}")
    for each in trial.left_out:
        examples = f": {', '.join(each.examples)}" if each.examples else ""
        yield Remark(f"{each.count} labels {each.reason}{examples}", Tone.WARN if each.is_trouble else Tone.SAY)
    if not any(each.labelled for each in trial.attributes):
        yield Remark(f"none of the {trial.labels} labels is about a face of these photographs", Tone.WARN)
    for attribute in trial.attributes:
        if attribute.value is not None:
            yield from _alternatives(attribute)
        yield f"{_sentence(attribute)}\n"


def _alternatives(trial: "AttributeTrial") -> Iterator[Part]:
    measure = "accuracy" if trial.measure == "accuracy" else "mean error"
    columns = ("description", measure, "interval", "gain", "interval", "p (Holm)")
    own = ("as described", *_scores(trial, trial.value, trial.interval), "", "", "")
    title = f"{trial.attribute}: {counted(trial.labelled, 'labelled face', grouped=True)}, 95 % intervals"
    yield Table(columns, (own, *(_alternative(trial, each) for each in trial.alternatives)), title)
    if trial.unreadable:
        yield f"the outputs cannot be read with {', '.join(trial.unreadable)}"
    if trial.combined and trial.best is not None:
        together = f"{trial.attribute}: {trial.best.change} together with another change, compared with it alone"
        begin = f"{trial.best.change}; "
        combined = (_alternative(trial, each) for each in trial.combined)
        yield Table(columns, tuple((change.removeprefix(begin), *rest) for change, *rest in combined), together)


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
    name, count = trial.attribute, counted(trial.labelled, "label", grouped=True)
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
