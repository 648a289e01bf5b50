import pytest

from facemon.render.annotation import PERCENTAGE, expand, fault, label, literal, value


def test_placeholders_are_filled_in() -> None:
    template = f"{label('attribute')} is {value(3)}, {PERCENTAGE}"
    assert expand(template, {"attribute": "hair"}, 0.0502) == "hair is 0.050, 5.02%"


def test_a_label_that_is_not_there_is_empty() -> None:
    assert expand(f"[{label('model')}]", {}, 0) == "[]"


def test_what_only_prometheus_can_tell_is_left_to_it() -> None:
    assert expand("{{ $labels.attribute | title }}", {"attribute": "hair"}, 0) is None
    assert expand("{{ with $x := 1 }}{{ $x }}{{ end }}", {}, 0) is None
    assert expand("{{ $value }}", {}, None) is None
    assert expand("of {{ $labels.attribute }}", {"attribute": "hair"}, None) == "of hair"


@pytest.mark.parametrize(
    ("number", "text"), [(1.0, "1"), (0.21, "0.21"), (-0.005, "-0.005"), (1e-5, "1e-05"), (1234567.5, "1234567.5")]
)
def test_a_value_is_written_as_prometheus_writes_it(number: float, text: str) -> None:
    assert expand("{{ $value }} {{ $labels.job | toUpper }}", {"job": "api"}, number) == f"{text} API"


@pytest.mark.parametrize(
    "template",
    [
        "",
        "}}",
        "{ {",
        "{{ $labels.a }}",
        '{{ "{{" }} {{ `}}` }}',
        "{{- with $x := 1 -}}{{ $x }}{{ end }}",
        literal("{{ x {{{"),
    ],
)  # fmt: skip
def test_templates_that_can_be_read(template: str) -> None:
    assert fault(template) is None


def test_literal_braces_stay_braces() -> None:
    text = "{{ $labels.attribute }} and {{"
    assert expand(literal(text), {"attribute": "hair"}, 0) == text
