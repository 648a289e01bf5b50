from facemon.domain.drift_result import Check, Verdict
from facemon.domain.labelled import LabelledCount
from facemon.drift.accuracy import accuracy_of, with_accuracy
from facemon.drift.sample import Sample
from tests.drift.worlds import judge, single, yes_no

ROWS = 1000


def labelled(right: int, of: int = ROWS, source: str | None = None) -> Sample:
    return with_accuracy(single(beard=yes_no(300, ROWS)), [LabelledCount("beard", source, right, of)])


def test_sources_add_up_and_are_found_alone() -> None:
    counts = [LabelledCount("beard", "a", 4, 8), LabelledCount("beard", None, 2, 2)]
    sample = with_accuracy(single(beard=yes_no(3, 10)), counts)
    alone, whole = (each.accuracy().column("beard") for each in (sample.of_source("a"), sample))
    assert alone is not None
    assert whole is not None
    assert (accuracy_of(alone), alone.total) == (0.5, 8)
    assert (accuracy_of(whole), whole.total, sample.rows) == (0.6, 10, 10)


def test_a_column_of_a_table_that_is_called_so_is_a_column_of_the_data() -> None:
    before, after = (single(beard=yes_no(300, ROWS), beard_accuracy=yes_no(yes, ROWS)) for yes in (900, 200))
    (found,) = judge(before, after, "beard", check=Check.DATA).columns
    assert (found.column, found.verdict, found.measure) == ("beard_accuracy", Verdict.DRIFT, "label")
    assert [column.column for column in judge(before, after, "beard").columns] == ["beard"]


def test_a_drop_is_drift_and_a_rise_is_none() -> None:
    for before, after, verdict, score in ((900, 800, Verdict.DRIFT, 0.1), (800, 900, Verdict.OK, 0.0)):
        label, accuracy = judge(labelled(before), labelled(after), "beard").columns
        assert label.verdict is Verdict.OK
        assert (accuracy.kind, accuracy.measure, accuracy.attribute) == ("accuracy", "accuracy", "beard")
        assert (accuracy.verdict, round(accuracy.score or 0, 9)) == (verdict, score)
        assert accuracy.p_adjusted is not None
        assert accuracy.p_adjusted < 0.001


def test_labels_on_one_side_are_no_verdict() -> None:
    plain = single(beard=yes_no(300, ROWS))
    for reference, current in ((labelled(900), plain), (plain, labelled(900))):
        outcome = judge(reference, current, "beard")
        assert (outcome.columns[1].verdict, outcome.verdict) == (Verdict.NOT_COMPARED, Verdict.OK)
        assert "facemon evaluate" in (outcome.columns[1].reason or "")


def test_a_handful_of_labels_is_undecided() -> None:
    outcome = judge(labelled(900), labelled(10, of=50), "beard")
    assert outcome.columns[1].verdict is Verdict.UNDECIDED
    assert "50 rows, fewer than min_rows 200" in (outcome.columns[1].reason or "")
