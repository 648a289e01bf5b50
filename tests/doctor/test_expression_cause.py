"""Why an expression has no result: by a real Prometheus' evaluation of made series, each kind of part once."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from facemon.doctor.expression_cause import cause_of
from facemon.doctor.prometheus_facts import Sample, value_of
from facemon.render.lint.query_parts import canonical, query_parts
from tests.patience import wait_until
from tests.servers import Server, query, run_node_exporter, run_prometheus

pytestmark = [pytest.mark.slow, pytest.mark.servers]
PAGE = """\
score{column="hair"} 0.1
score{column="mask"} 0.3
limit{kind="data"} 0.2
broken 1
"""
CAUSES = {
    "score > 0.5": (r"score is 0\.1 to 0\.3 \(2 series\), and none is > 0\.5", False),
    "absence": ("Prometheus has no series absence", True),
    'score{column="beard"}': (
        r'score has 2 series, but none with column="beard": column is hair, mask', True,
    ),
    'score{column="hair",job="nobody"} > 0': (r'.*none with job="nobody": job is node', True),
    "score > 0.2 and score < 0.2": ("no labels of score > 0.2 are those of score < 0.2", False),
    "score and absence": ("Prometheus has no series absence", True),
    "score unless score": ("all series of score are left out by unless score", False),
    "absence or score > 1": (r"score is .*none is > 1; Prometheus has no series absence", False),
    "absence or nothing": ("Prometheus has no series absence; Prometheus has no series nothing", True),
    "score / limit": ("both sides of score / limit have series, but no labels in common", False),
    "sum(absence) > 1": ("Prometheus has no series absence", True),
    "absent(broken)": ("broken has series, so it is not absent", False),
    "score > on () group_left () limit * 10": (r"no series of score is > limit \* 10", False),
    "rate(absence[5m]) > 0": ("Prometheus has no series absence", True),
    # The server has begun a moment ago: no whole second may have passed since.
    "max_over_time((score - 1)[1m:10ms]) > 0": (r".* is -0\.9 to -0\.7 \(2 series\), and none is > 0", False),
    "sum by (column) (score) == 7": (r"sum by \(column\) \(score\) is .*none is == 7", False),
}  # fmt: skip


@pytest.fixture(scope="module")
def prometheus(servers: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Prometheus that has scraped the page."""
    folder = tmp_path_factory.mktemp("causes")
    (folder / "text").mkdir()
    (folder / "text" / "page.prom").write_text(PAGE)
    with run_node_exporter(servers, folder / "text", folder) as node:
        target = node.url.removeprefix("http://")
        config = "global: {scrape_interval: 1s}\nscrape_configs: [{job_name: node, static_configs: [{targets: [X]}]}]\n"
        (folder / "prometheus.yml").write_text(config.replace("X", f'"{target}"'))
        with run_prometheus(servers, folder / "prometheus.yml", folder) as server:
            wait_until(lambda: query(server.url, "score"), "a scrape")
            yield server


@pytest.mark.parametrize("expression", CAUSES)
def test_the_cause(prometheus: Server, expression: str) -> None:
    asked: list[str] = []

    def ask(text: str) -> tuple[Sample, ...]:
        asked.append(text)
        return value_of(prometheus.url, text)

    cause = cause_of(query_parts(expression), ask)
    text, lacks_data = CAUSES[expression]
    assert cause is not None
    assert re.fullmatch(text, cause.text), cause.text
    assert cause.lacks_data == lacks_data


@pytest.mark.parametrize("expression", ["score", "score > 0.2", "score unless absence", "absent(absence)", "vector(1)"])
def test_what_has_a_result_has_no_cause(prometheus: Server, expression: str) -> None:
    assert cause_of(query_parts(expression), lambda text: value_of(prometheus.url, text)) is None


def test_spellings_of_one_expression_are_the_same() -> None:
    assert canonical('sum  by(a) (x{b="1"})>0.50') == canonical('sum by (a) (x{b="1"}) > 0.5')
    assert canonical("x > 1") != canonical("x > 2")
    assert canonical("no PromQL (") == "no PromQL ("
