from facemon.render.annotation import PERCENTAGE, expand, label, literal, value


def test_placeholders_are_filled_in() -> None:
    template = f"{label('attribute')} is {value(3)}, {PERCENTAGE}"
    assert expand(template, {"attribute": "hair"}, 0.0502) == "hair is 0.050, 5.02%"


def test_a_label_that_is_not_there_is_empty() -> None:
    assert expand(f"[{label('model')}]", {}, 0) == "[]"


def test_what_only_prometheus_can_tell_is_left_to_it() -> None:
    assert expand("{{ $labels.attribute | toUpper }}", {"attribute": "hair"}, 0) is None


def test_literal_braces_stay_braces() -> None:
    text = "{{ $labels.attribute }} and {{"
    assert expand(literal(text), {"attribute": "hair"}, 0) == text
