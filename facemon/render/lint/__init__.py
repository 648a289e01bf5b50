"""Judges a rendered stack by rules that no tool checks: the last look before anything is written."""

from facemon.config.document import Config
from facemon.render.lint.alert_rules import alert_findings
from facemon.render.lint.compose_rules import compose_findings
from facemon.render.lint.dashboard_rules import dashboard_findings
from facemon.render.lint.finding import Finding, linted_files
from facemon.render.lint.query_rules import query_findings
from facemon.render.lint.secret_rules import secret_findings
from facemon.render.stack import RenderedStack


def lint(stack: RenderedStack, config: Config) -> tuple[Finding, ...]:
    """Everything that is wrong with the rendered files, by path; what leads to a part that was not rendered is left."""
    files = linted_files(stack)
    found = (
        *query_findings(files, config),
        *dashboard_findings(files),
        *alert_findings(files, stack),
        *compose_findings(files, config),
        *secret_findings(files),
    )
    return tuple(sorted(found, key=lambda finding: finding.path))
