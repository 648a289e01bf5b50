"""The label sets of alerts: an algebra with laws, and what is known of the alerts that are rendered."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.metric_catalogue import CATALOGUE
from facemon.render import foreign_metrics
from facemon.render.alert_labels import LabelSpace, Match, Values, label_space
from facemon.render.alert_rules import alerts_of
from facemon.render.expression import Series
from facemon.render.promql import TARGET_LABELS
from facemon.render.routing import Claim, unclaimed
from tests.render.configurations import SHORTENED, config_of

NAMES = st.sampled_from("abc")
TEXTS = st.sampled_from(["", "x", "y", "z", "other"])
values = st.builds(Values, st.frozensets(st.sampled_from(["", "x", "y", "other"])), st.booleans())
present = values.filter(bool)
matches = st.dictionaries(NAMES, present)
spaces = st.builds(LabelSpace, st.dictionaries(NAMES, present), present)
label_sets = st.fixed_dictionaries(dict.fromkeys("abc", TEXTS))


def holds(space: LabelSpace | None, labels: dict[str, str]) -> bool:
    return space is not None and all(labels[name] in space[name] for name in labels)


def matched(match: Match, labels: dict[str, str]) -> bool:
    return all(labels[name] in wanted for name, wanted in match.items())


@given(values, values, TEXTS)
def test_values_are_sets(one: Values, two: Values, text: str) -> None:
    assert (text in one & two) == (text in one and text in two)
    assert (text in one - two) == (text in one and text not in two)


@given(present)
def test_the_example_is_one_of_the_values(some: Values) -> None:
    assert some.example() in some


@given(spaces, matches, label_sets)
def test_what_matches_and_what_does_not_make_up_the_whole(
    space: LabelSpace, match: Match, labels: dict[str, str]
) -> None:
    assert holds(space.within(match), labels) == (holds(space, labels) and matched(match, labels))
    inside = [piece for piece in space.outside(match) if holds(piece, labels)]
    assert len(inside) == (holds(space, labels) and not matched(match, labels))


@given(spaces, st.lists(matches, max_size=4))
def test_something_is_left_if_and_only_if_some_label_set_is(space: LabelSpace, taken: list[Match]) -> None:
    """Against trying out every label set there is; `z` stands for all that nothing names."""
    left = unclaimed([Claim(match, "receiver") for match in taken], space)
    every = (dict(zip("abc", texts, strict=True)) for texts in product(["", "x", "y", "other", "z"], repeat=3))
    possible = [one for one in every if holds(space, one) and not any(matched(match, one) for match in taken)]
    assert (left is not None) == bool(possible)
    assert left is None or any(holds(left, one) for one in possible)


@given(spaces, st.dictionaries(NAMES, TEXTS))
def test_the_example_lies_in_the_space(space: LabelSpace, usual: dict[str, str]) -> None:
    example = space.example(usual)
    assert all(example.get(name, "") in some for name, some in space.labels.items())


def test_labels_of_the_rule_of_the_series_and_of_the_server() -> None:
    config = config_of(SHORTENED)
    spaces = {alert.name: label_space(alert, config) for alert in alerts_of(config)}
    drift = spaces["DriftDetected"]
    assert drift["team"] == Values(frozenset({"f{{ace"}))  # as it arrives, not as the rule's template writes it
    assert 'a"b{{ x }}' in drift["cluster"]
    assert "" not in drift["cluster"]
    assert drift["area"] == Values(frozenset({"drift"}))
    assert "gender" in drift["attribute"]
    assert "image_brightness" in drift["attribute"]
    assert "beard" not in drift["attribute"]
    assert "" not in drift["attribute"]
    assert "" in drift["owner"]  # groups on the Pushgateway may have any label
    assert "anything" in drift["owner"]
    assert spaces["Watchdog"]["attribute"] == Values(frozenset({""}))
    assert "anything" in spaces["Mine"]["instance"]  # a query of the user's own
    assert "beard" not in spaces["Mine"]["attribute"]


def test_a_label_of_the_server_is_given_to_alerts_that_lack_it_only() -> None:
    config = config_of("prometheus: {external_labels: {attribute: x, job: y, site: z}}")
    spaces = {alert.name: label_space(alert, config) for alert in alerts_of(config)}
    assert "gender" in spaces["DriftDetected"]["attribute"]
    assert "x" not in spaces["DriftDetected"]["attribute"]
    assert "exporter" in spaces["TargetDown"]["job"]
    assert "y" not in spaces["TargetDown"]["job"]
    for space in spaces.values():
        assert space["site"] == Values(frozenset({"z"}))
    assert spaces["Watchdog"]["attribute"] == Values(frozenset({"x"}))


def test_a_label_of_the_server_fills_what_may_be_missing() -> None:
    text = "prometheus: {external_labels: {team: z}}\nalerts: {custom: [{name: Mine, expr: up, summary: s}]}"
    config = config_of(text)
    space = next(label_space(alert, config) for alert in alerts_of(config) if alert.name == "Mine")
    assert "" not in space["team"]
    assert "z" in space["team"]
    assert "anything" in space["team"]


def test_no_alert_has_a_label_that_only_its_tests_have() -> None:
    """What a Pushgateway may add is in the tests of every way, and a route by it is for that way alone."""
    catalogue = {label for metric in CATALOGUE.values() for label in metric.labels}
    foreign = {label for each in vars(foreign_metrics).values() if isinstance(each, Series) for label in each.labels}
    config = config_of("")
    for alert in alerts_of(config):
        known = {"alertname", *TARGET_LABELS, *alert.rule_labels, *catalogue, *foreign}
        assert label_space(alert, config).labels.keys() <= known, alert.name
