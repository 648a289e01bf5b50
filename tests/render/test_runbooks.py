"""Runbooks: each from its alert's numbers, and nothing that a user gave is read as Markdown."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.config.durations import parse_duration
from facemon.render.alert_rules import alerts_of
from facemon.render.markdown import code, escaped
from facemon.render.runbooks import runbook
from tests.render.configurations import CONFIGURATIONS, DEFAULTS, OBJECTIVES, config_of


def page_of(name: str, text: str) -> str:
    config = config_of(text)
    return next(runbook(alert, config) for alert in alerts_of(config) if alert.name == name)


@pytest.mark.parametrize("text", [*CONFIGURATIONS.values(), DEFAULTS + OBJECTIVES])
def test_every_page_says_what_it_means_what_to_ask_and_what_to_do(text: str) -> None:
    config = config_of(text)
    for alert in alerts_of(config):
        page = runbook(alert, config)
        assert page.startswith(f"# {escaped(alert.name)}\n")
        assert str(alert.expr) in page
        assert alert.limit in page
        if alert.group != "custom":
            assert alert.runbook.meaning in page
            assert "## Likely causes" in page
            assert "## What to do" in page


def test_the_page_has_the_configured_numbers() -> None:
    text = "alerts: {HighErrorRate: {threshold: 0.123, min_requests: 77, for: 7m}}"
    page = page_of("HighErrorRate", text)
    assert "**Fires** (critical): more than 12.3 % of requests that are not rejected fail, of at least 77" in page
    assert page.count("```promql") > 3


def test_every_rate_on_a_page_reaches_over_four_scrapes() -> None:
    """A shorter window has no rate once a scrape is lost."""
    text = f"{OBJECTIVES}\nprometheus: {{scrape_interval: 2m30s, remote_write: [{{url: 'http://archive.example/w'}}]}}"
    config = config_of(text)
    windows = {
        window
        for alert in alerts_of(config)
        for window in re.findall(r"(?:rate|increase)\([^()]*\[(\w+)\]\)", runbook(alert, config))
    }
    assert "10m" in windows
    assert min(map(parse_duration, windows)) == 4 * config.prometheus.scrape_interval


def test_what_a_user_gave_is_not_read_as_markdown() -> None:
    summary = "<b>*x*</b> [l](u) | `c` {{ $labels.job }}"
    text = f"alerts: {{custom: [{{name: Mine, expr: 'up > 0 # ```', summary: '{summary}'}}]}}"
    page = page_of("Mine", text)
    assert r"\<b\>\*x\*\</b\> \[l\](u) \| \`c\` \{\{ $labels.job \}\}" in page
    assert "````promql\nup > 0 # ```\n````" in page


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_escaped_text_is_one_line_and_keeps_its_words(text: str) -> None:
    line = escaped(text)
    assert "\n" not in line
    assert re.sub(r"\\([^a-zA-Z\s])", r"\1", line) == " ".join(text.split())
    assert not re.match(r"[#+=-]|\d+[.)]", line)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_no_text_ends_its_block_of_code(text: str) -> None:
    block = code(text, "promql")
    fence = block.partition("promql")[0]
    assert fence not in text
    assert block.endswith(f"\n{fence}")
