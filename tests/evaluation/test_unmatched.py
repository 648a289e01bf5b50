"""What is said of labels that match nothing."""

import pyarrow as pa
import pytest

from facemon.evaluation.true_labels import HASH, IMAGE, IMAGE_ID, KeyColumn
from facemon.evaluation.unmatched import LoggedNames, Unmatched, explain_unmatched


def explained(
    names: list[str], logged: list[str], *, key: str = IMAGE, others: dict[str, list[str]] | None = None
) -> Unmatched:
    seen = LoggedNames()
    table = pa.table({
        IMAGE: logged,
        IMAGE_ID: [f"emp{place}" for place in range(len(logged))],
        HASH: [f"{place:064x}" for place in range(len(logged))],
    })  # fmt: skip
    assert list(seen.watch([table])) == [table]
    columns = {name: tuple(texts) for name, texts in (others or {}).items()}
    return explain_unmatched(names, KeyColumn("image", key, tuple(names)), columns, seen, set())


FOLDERS = "the log's names begin with photos/, those of the labels begin with img/"
SUFFIXES = "the log's names end in .jpg, those of the labels end in .png"
ZEROS = "the log's names begin with zeros that the labels lack, as when a spreadsheet takes them for numbers"
LOGGED = [f"photos/{number:06}.jpg" for number in range(40)]


@pytest.mark.parametrize(
    ("names", "others", "hint"),
    [
        (
            [f"emp{number}" for number in range(9)],
            {},
            "the column image holds what the log calls image_id: did you mean tables.id: image?",
        ),
        (
            [f"row {number}" for number in range(9)],
            {"filename": [f"{number:06}.jpg" for number in range(9)], "note": ["x"] * 9},
            "the column filename holds what the log calls image: did you mean tables.image: filename?",
        ),
        (
            [f"row {number}" for number in range(9)],
            {"digest": [f"{number:064x}" for number in range(9)]},
            "the column digest holds the images' sha256: rename it to image_sha256",
        ),
        (
            [f"img/{number:06}.jpg" for number in range(9)],
            {},
            f"{FOLDERS}: photos/000000.jpg and img/000000.jpg",
        ),
        (
            [f"photos/{number:06}.png" for number in range(9)],
            {},
            f"{SUFFIXES}: photos/000000.jpg and photos/000000.png",
        ),
        (
            [f"img/{number:06}.png" for number in range(9)],
            {},
            f"{FOLDERS}; {SUFFIXES}: photos/000000.jpg and img/000000.png",
        ),
        (["PHOTOS/000003.JPG"], {}, "the names differ in letter case: photos/000003.jpg and PHOTOS/000003.JPG"),
        (
            ["7", "12"],
            {},
            f"{ZEROS}: photos/000007.jpg and 7",
        ),
        (["portrait", "group"], {}, "the log's names begin with photos/, those of the labels have no folder"),
        # Ages are called as images are, but there are too few of them to name images.
        (
            [f"row {number}" for number in range(40)],
            {"age": [f"{number % 9:06}" for number in range(40)]},
            "the log's names begin with photos/, those of the labels have no folder",
        ),
    ],
)
def test_the_nearest_mapping(names: list[str], others: dict[str, list[str]], hint: str) -> None:
    found = explained(names, LOGGED, others=others)
    assert found.hints[0] == hint
    assert found.labels == tuple(names[:3])
    assert found.logged == tuple(LOGGED[:3])


def test_names_that_have_a_label_are_not_shown() -> None:
    seen = LoggedNames()
    list(seen.watch([pa.table({IMAGE: ["a", "b", "c", "d", None]})]))
    assert explain_unmatched(["x"], KeyColumn("image", IMAGE, ("x",)), {}, seen, {"a", "c"}).logged == ("b", "d")
    assert explain_unmatched(["x"], KeyColumn("id", IMAGE_ID, ("x",)), {}, seen, set()) == Unmatched(("x",), (), ())


def test_an_empty_log() -> None:
    assert explained(["x"], []) == Unmatched(("x",), (), ())
