"""What a person who is woken by an alert must find in it, and the page that it leads to."""

from collections.abc import Iterator

from facemon.render.alert import runbook_path
from facemon.render.lint.finding import Finding, LintedFile
from facemon.render.rendered_content import rules
from facemon.render.stack import Part, RenderedStack

_ANNOTATIONS = ("summary", "description", "runbook_url", "dashboard_url")


def alert_findings(files: tuple[LintedFile, ...], stack: RenderedStack) -> Iterator[Finding]:
    """What is missing in alerts; their pages only where both were rendered."""
    names: set[str] = set()
    for file in files:
        for here, rule in rules(file.content):
            if "alert" not in rule:
                continue
            name = rule["alert"]
            if name in names:
                yield file.fault((*here, "alert"), f"is {name}, as another alert is named", "rename one of them")
            names.add(name)
            if not rule.get("labels", {}).get("severity"):
                yield file.fault((*here, "labels", "severity"), "is missing", "say how bad it is")
            for annotation in _ANNOTATIONS:
                if not rule.get("annotations", {}).get(annotation):
                    yield file.fault((*here, "annotations", annotation), "is missing", "every alert needs one")
            if Part.RUNBOOKS in stack.parts and runbook_path(name) not in stack.files:
                yield file.fault((*here, "alert"), f"{name} has no runbook", f"render {runbook_path(name)}")
