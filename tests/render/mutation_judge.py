"""Which mutants of the rules of a configuration the generated tests notice; promtool is the judge.

All mutants of a rule stand in one file of rules, each under a name of its own, and the rule's tests are asked of every
name: what fails says by the name whose it is. A rule looks at no other rule, so that they cannot disturb each other.
The rule itself stands among them, and has to pass.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facemon.config.document import Config
from facemon.render.alert import rule
from facemon.render.alert_rules import alerts_of
from facemon.render.alert_tests import alert_tests
from facemon.render.recording import recording_tests
from facemon.render.recording_rules import recordings
from facemon.render.rule_test import RuleTest, test_files
from facemon.render.stack_text import yaml_text
from tests.patience import HANG_S
from tests.render.equivalent_mutants import UNTOLD, reason_for
from tests.render.rule_mutations import Mutant, Rule, mutants
from tests.servers import promtool

_FAILED = re.compile(
    r"^ +alertname: (?P<alert>\w+), time|^ +rule: (?P<error>[\w:]+), time|"
    r'^ +expr: "(?:(?:sum without \(alertstate\) \()?ALERTS\{alertname=\\"(?P<state>\w+)\\"|round\((?P<record>[\w:]+))',
    re.MULTILINE,
)
_NAME = re.compile(r"__(\d+)$")


@dataclass(frozen=True, slots=True)
class Verdict:
    """A mutant of the rule with this name: noticed, or equivalent for a reason, or neither, which is a fault."""

    name: str
    mutant: Mutant
    is_killed: bool
    texts_are_told: bool = True
    """Whether what the alert says stands in its tests."""

    @property
    def reason(self) -> str | None:
        """Why it may live: it does what the rule does, or changes what a user's own template makes of the rule."""
        if not self.texts_are_told and self.mutant.change.startswith("annotations "):
            return UNTOLD
        return reason_for(self.name, self.mutant)

    def __str__(self) -> str:
        return f"{self.name}, {self.mutant.operator}: {self.mutant.change}\n    {self.mutant.rule.get('expr')}"


@dataclass(frozen=True, slots=True)
class Tested:
    """A rule with its own tests, and how a name is put into both."""

    name: str
    key: str
    rule: Rule
    tests: Sequence[RuleTest]
    renamed: Callable[[dict[str, Any], str, str], dict[str, Any]]


EVERY_RULE = slice(None)


def verdicts(
    config: Config, servers: Path, folder: Path, processes: int = 2, chosen: slice = EVERY_RULE
) -> list[Verdict]:
    """The verdict on every mutant of every rule that has tests, or of those that are chosen."""
    tested = list(rules_with_tests(config))[chosen]
    with ThreadPoolExecutor(processes) as pool:
        judged = pool.map(lambda each: judge(each[1], servers, folder / str(each[0])), enumerate(tested))
        return [verdict for some in judged for verdict in some]


def rules_with_tests(config: Config) -> Iterator[Tested]:
    """Every rule that has tests, with them."""
    for alert in alerts_of(config):
        if alert.scenarios:
            tests = list(alert_tests((alert,), config))
            yield Tested(alert.name, "alert", rule(alert, config), tests, _with_alert)
    for recording in recordings(config):
        tests = list(recording_tests((recording,)))
        yield Tested(recording.name, "record", recording.rule(), tests, _with_record)


def judge(tested: Tested, servers: Path, folder: Path) -> list[Verdict]:
    """The verdict on every mutant of one rule."""
    every = mutants(tested.rule)
    killed: set[int] = set()
    erring: set[int] = set()
    while True:
        # A rule that gives an error ends the test group for all: it is noticed, and the others are asked again.
        left = {number: mutant.rule for number, mutant in enumerate(every, 1) if number not in erring}
        failed, erred = _failures(tested, {0: tested.rule, **left}, servers, folder)
        killed |= failed | erred
        erring |= erred
        if not erred:
            break
    if 0 in killed:
        raise AssertionError(f"{tested.name} itself fails its tests")
    told = any("exp_annotations" in repr(test.group) for test in tested.tests)
    return [Verdict(tested.name, mutant, number in killed, told) for number, mutant in enumerate(every, 1)]


def _failures(tested: Tested, rules: Mapping[int, Rule], servers: Path, folder: Path) -> tuple[set[int], set[int]]:
    """The numbers of those that fail a test, and of those that cannot be evaluated."""
    folder.mkdir(parents=True, exist_ok=True)
    names = {number: f"{tested.name}__{number}" for number in rules}
    entries = [{**entry, tested.key: names[number]} for number, entry in rules.items()]
    (folder / "rules.yml").write_text(yaml_text({"groups": [{"name": "mutants", "rules": entries}]}))
    files = []
    for place, (_, content) in enumerate(test_files(tested.tests, ("rules.yml",))):
        groups = [_for_each(group, names.values(), tested) for group in content["tests"]]
        files.append(folder / f"test{place}.yml")
        files[-1].write_text(yaml_text({**content, "tests": groups}))
    # Hundreds of mutants at once, perhaps beside other work.
    outcome = promtool(servers, "test", "rules", *files, patience_s=20 * HANG_S)
    said = outcome.stdout + outcome.stderr
    failed: set[int] = set()
    erred: set[int] = set()
    for match in _FAILED.finditer(said):
        name = next(found for found in match.groups() if found)
        (erred if match["error"] else failed).add(int(_NAME.search(name)[1]))  # type: ignore[index]
    if outcome.returncode and not failed | erred:
        raise AssertionError(f"{tested.name}: {said[:2000]}")
    return failed, erred


def _for_each(group: dict[str, Any], names: Iterable[str], tested: Tested) -> dict[str, Any]:
    """The group with each of its checks asked of every name."""
    asked: dict[str, Any] = {
        kind: [tested.renamed(check, tested.name, name) for name in names for check in group[kind]]
        for kind in ("alert_rule_test", "promql_expr_test")
        if kind in group
    }
    return {**group, **asked}


def _with_alert(check: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    if "alertname" in check:
        return {**check, "alertname": new}
    samples = [
        {**sample, "labels": sample["labels"].replace(f'alertname="{old}"', f'alertname="{new}"', 1)}
        for sample in check["exp_samples"]
    ]
    return {**check, "expr": check["expr"].replace(f'"{old}"', f'"{new}"'), "exp_samples": samples}


def _with_record(check: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    return {**check, "expr": check["expr"].replace(old, new, 1)}
