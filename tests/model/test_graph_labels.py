import pytest

from facemon.model.graph_labels import labels_of


@pytest.mark.parametrize(
    "text",
    [
        '["no", "yes", "maybe"]',
        '{"0": "no", "2": "maybe", "1": "yes"}',
        '{"no": 0, "yes": 1, "maybe": 2}',
        "{0: 'no', 1: 'yes', 2: 'maybe'}",
        "no, yes,maybe",
        "no\nyes\nmaybe\n",
    ],
)
def test_every_form_that_exporters_write(text: str) -> None:
    assert labels_of({"names": text}, "out", 3) == ("no", "yes", "maybe")
    assert labels_of({"names": text}, "out", 2) == ()


def test_an_output_s_own_labels_go_first() -> None:
    metadata = {"labels": "a,b", "hair_labels": "c,d", "other": "x,y"}
    assert labels_of(metadata, "hair", 2) == ("c", "d")
    assert labels_of(metadata, "beard", 2) == ("a", "b")
    assert labels_of({"other": "x,y"}, "hair", 2) == ()


@pytest.mark.parametrize("text", ["", "a,a", "5", '{"a": "b", "c": "d"}', "[[1]]", "{'a': [1], 'b': 2}"])
def test_what_is_no_list_of_labels(text: str) -> None:
    assert labels_of({"labels": text}, "x", 2) == ()
