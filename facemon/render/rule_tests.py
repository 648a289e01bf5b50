"""The files with promtool's unit tests of all rules: one, and more where rules differ too much in their times."""

from collections.abc import Iterable
from typing import Any

from facemon.config.document import Config
from facemon.render.alert import Alert
from facemon.render.alert_tests import alert_tests
from facemon.render.recording import recording_tests
from facemon.render.recording_rules import recordings
from facemon.render.rule_test import test_files, time_text

MAIN_FILE = "alert_rules_test.yml"
_RULE_FILES = ("../recording_rules.yml", "../alert_rules.yml")


def rule_tests(alerts: Iterable[Alert], config: Config) -> dict[str, dict[str, Any]]:
    """The test files by name; the one with the most tests has the name that is always there."""
    files = list(test_files((*alert_tests(alerts, config), *recording_tests(recordings(config))), _RULE_FILES))
    main = max((content for _, content in files), key=lambda content: len(content["tests"]))
    return {
        MAIN_FILE if content is main else f"alert_rules_every_{time_text(interval)}_test.yml": content
        for interval, content in files
    }
