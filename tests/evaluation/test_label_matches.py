"""Which images labels are joined with: laws over random names, against the definition in plain Python."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from facemon.evaluation import found_images, joined_labels
from facemon.evaluation.evaluation import Evaluation, evaluate
from facemon.evaluation.found_images import ImageLookup
from facemon.evaluation.label_matches import keyed_labels, match_labels
from facemon.evaluation.true_labels import ANY_FACE, IMAGE, KeyColumn, TrueLabels
from facemon.evaluation.truth import Truth
from tests.evaluation.test_name_forms import are_compatible
from tests.store.log_rows import ATTRIBUTES, MODEL, NOON, SCHEMA

NAMES = st.sampled_from(
    ["a.jpg", "a.png", "a", "x/a.jpg", "y/a.jpg", "r/x/a.jpg", "x/a", "b.jpg", "x/b.jpg", "r/b", "r/x/b.jpg", "c"]
)


class Logged(NamedTuple):
    """One prediction."""

    name: str
    content: int | None
    """What its bytes are; none where the log has no hash."""
    minute: int
    is_failed: bool


PREDICTIONS = st.lists(
    st.builds(Logged, NAMES, st.integers(0, 3), st.integers(0, 2), st.booleans()), min_size=1, max_size=12
)
LABELS = st.lists(st.tuples(NAMES, st.sampled_from([0, 0, 0, 1])), min_size=1, max_size=8)


def table_of(logged: Sequence[tuple[int, Logged]]) -> pa.Table:
    rows = [
        {
            "run": f"run{each.minute}", "ordinal": ordinal, "image": each.name,
            "image_sha256": None if each.content is None else f"{each.content:064x}",
            "face": None if each.is_failed else 0, "observed_at": NOON,
            "predicted_at": NOON + timedelta(minutes=each.minute),
            "model": MODEL, "source": None, "origin": "batch", "error": "unreadable" if each.is_failed else None,
            "gender": None if each.is_failed else "female", "gender_confidence": 0.9,
        }
        for ordinal, each in logged
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, SCHEMA)


def labels_of(labels: Sequence[tuple[str, int]]) -> TrueLabels:
    codes = np.array([code for _, code in labels], np.intp)
    nothing = np.full(len(labels), np.nan)
    truth = Truth(codes, nothing, codes, ("female", "male"), np.zeros(len(labels), np.bool_))
    names = KeyColumn("image", IMAGE, tuple(name for name, _ in labels))
    return TrueLabels((names,), np.full(len(labels), ANY_FACE, np.intp), {"gender": truth}, (), {})


def meant_images(label: str, logged: Sequence[Logged]) -> set[int | None]:
    """The images that a name means, by their content: a failed attempt only where there is nothing else."""
    met = [each for each in logged if each.name == label] or [
        each for each in logged if are_compatible(label, each.name)
    ]
    return {each.content for each in met if not each.is_failed} or {each.content for each in met}


@pytest.fixture(scope="module", autouse=True)
def _small_pieces() -> object:
    """Let go of what does not matter after every table, so that a dozen rows are as many pieces as a million are."""
    patched = pytest.MonkeyPatch()
    patched.setattr(found_images, "_AT_ONCE", 0)
    patched.setattr(joined_labels, "_ROWS_AT_ONCE", 1)
    yield
    patched.undo()


@given(PREDICTIONS, LABELS, st.integers(1, 4))
@example(
    [Logged("a.jpg", 0, 0, False), Logged("r/x/a.jpg", 0, 0, True), Logged("r/x/a.jpg", 1, 0, True)],
    [("x/a.jpg", 0), ("y/a.jpg", 0)],
    1,
)
def test_a_label_that_counts_means_one_image(logged: list[Logged], labels: list[tuple[str, int]], size: int) -> None:
    table = labels_of(labels)
    keyed = keyed_labels(table, table.keys[0])
    lookup = ImageLookup(keyed.images, IMAGE)
    numbered = list(enumerate(logged))
    for first in range(0, len(numbered), size):
        lookup.add(table_of(numbered[first : first + size]))
    matches = match_labels(keyed, lookup.found())
    assert len(set(matches.labels.tolist())) == len(matches.labels)
    rows = matches.rows.to_pylist()
    assert len({(row["run"], row["ordinal"]) for row in rows}) == len(rows)
    for label, row in zip(matches.labels.tolist(), rows, strict=True):
        name = keyed.name(label)
        assert meant_images(name, logged) == {int(row["image_sha256"], 16)}
        assert row["image"] == name or (
            are_compatible(name, row["image"]) and all(name != each.name for each in logged)
        )
        newest = max(each.minute for each in logged if each.name == row["image"] and not each.is_failed)
        assert row["predicted_at"] >= NOON + timedelta(minutes=newest)
    # And each label is in one place: it counts, or is said to be left out for one reason.
    places = [*matches.labels.tolist()]
    for left in (matches.unmatched, matches.several_images, matches.shared, matches.several_faces, matches.without_face,
                 matches.face_not_found, matches.failed, matches.repeated, matches.contradicting):  # fmt: skip
        places += left
    assert sorted(places) == list(range(len(keyed.rows)))
    for label in matches.unmatched:
        assert not meant_images(keyed.name(label), logged)
    for label in matches.several_images:
        assert len(meant_images(keyed.name(label), logged)) > 1


@given(PREDICTIONS, LABELS, st.randoms(use_true_random=False))
def test_neither_order_nor_pieces_of_rows_matter(
    logged: list[Logged], labels: list[tuple[str, int]], choices: random.Random
) -> None:
    def result(of_log: Sequence[tuple[int, Logged]], of_table: Sequence[tuple[str, int]], size: int) -> Evaluation:
        tables = [table_of(of_log[first : first + size]) for first in range(0, len(of_log), size)]
        return evaluate(tables, labels_of(of_table), ATTRIBUTES[:1], model=MODEL, at=NOON)

    numbered = list(enumerate(logged))
    first = result(numbered, labels, len(numbered))
    shuffled = choices.sample(numbered, len(numbered))
    second = result(shuffled, choices.sample(labels, len(labels)), choices.randint(1, len(numbered)))
    one, other = first.document(), second.document()
    for document in (one, other):  # which names of the log are shown does depend on what comes first
        document["unmatched"] = None
    assert one == other
    assert sorted(first.images) == sorted(second.images)


@pytest.mark.parametrize(
    ("logged", "labels", "counted", "left_out"),
    [
        (["a.jpg"], {"a.jpg": 0}, ["a.jpg"], {}),
        (["x/a.jpg"], {"a": 0}, ["a"], {}),
        (["x/a.jpg", "y/a.jpg"], {"a": 0}, [], {"several_images": ["a"]}),
        (["a.jpg", "a.png"], {"a": 0}, [], {"several_images": ["a"]}),
        (["x/a.jpg", "a.jpg"], {"a.jpg": 0}, ["a.jpg"], {}),
        # An interface got the file's name alone: whose it was of two folders cannot be known.
        (["a.jpg"], {"x/a.jpg": 0, "y/a.jpg": 1}, [], {"shared": ["x/a.jpg", "y/a.jpg"]}),
        (["a.jpg"], {"a.jpg": 0, "x/a.jpg": 1}, ["a.jpg"], {"contradicting": ["x/a.jpg"]}),
        (["x/a.jpg"], {"x/a.jpg": 0, "a.jpg": 1}, ["x/a.jpg"], {"contradicting": ["a.jpg"]}),
        (["x/a.jpg"], {"a": 0, "a.jpg": 0}, ["a"], {"repeated": ["a.jpg"]}),
        (["x/a.jpg"], {"a": 0, "a.jpg": 1}, [], {"contradicting": ["a", "a.jpg"]}),
        (["x/a.jpg"], {"y/a.jpg": 0}, [], {"unmatched": ["y/a.jpg"]}),
    ],
)
def test_names(logged: list[str], labels: dict[str, int], counted: list[str], left_out: dict[str, list[str]]) -> None:
    table = labels_of(list(labels.items()))
    keyed = keyed_labels(table, table.keys[0])
    lookup = ImageLookup(keyed.images, IMAGE)
    lookup.add(table_of([(place, Logged(name, place, 0, False)) for place, name in enumerate(logged)]))
    matches = match_labels(keyed, lookup.found())
    assert [keyed.name(label) for label in matches.labels.tolist()] == counted
    reasons = ("unmatched", "several_images", "shared", "repeated", "contradicting")
    found = {reason: list(keyed.names(getattr(matches, reason))) for reason in reasons}
    assert {reason: names for reason, names in found.items() if names} == left_out


def test_other_bytes_under_one_name_are_another_image() -> None:
    """`latest.jpg` of every hour: whose label it is cannot be known, and the newest is not a guess to make."""
    hours = [(hour, Logged("latest.jpg", hour, hour, False)) for hour in range(3)]
    result = evaluate(
        [table_of([each]) for each in hours], labels_of([("latest.jpg", 0)]), ATTRIBUTES[:1], model=MODEL, at=NOON
    )
    assert [each.reason for each in result.left_out] == ["name several images of the log"]
    # Without a hash nothing tells them apart, and a failed attempt is not another image.
    unknown = [(hour, Logged("latest.jpg", None, hour, False)) for hour in range(3)]
    cut_short = [(9, Logged("latest.jpg", 9, 9, True))]
    for more in (unknown, cut_short):
        tables = [table_of(hours[:1]), table_of(more)]
        result = evaluate(tables, labels_of([("latest.jpg", 0)]), ATTRIBUTES[:1], model=MODEL, at=NOON)
        assert (result.scores[0].labelled, result.left_out) == (1, ())


def test_equal_bytes_under_several_names_are_one_image() -> None:
    logged = [Logged("photos/a.jpg", 1, 0, False), Logged("/data/photos/a.jpg", 1, 1, False)]
    result = evaluate(
        [table_of(list(enumerate(logged)))], labels_of([("a.jpg", 0)]), ATTRIBUTES[:1], model=MODEL, at=NOON
    )
    assert (result.scores[0].labelled, result.left_out) == (1, ())


def test_what_a_name_without_an_answer_met_is_let_go() -> None:
    """A name of a thousand images must not hold a thousand rows until the end."""
    lookup = ImageLookup(["latest.jpg"], IMAGE)
    for hour in range(100):
        lookup.add(table_of([(hour, Logged("latest.jpg", hour, hour, False))]))
        assert sum(part.num_rows for part in lookup._parts) <= 3
