"""A GitHub workflow that runs the check, keeps its report, and tells of drift in one issue.

It runs where the log is, on a runner of the user's own, with the facemon and the configuration that are there: no
code of the repository is checked out. What the user named reaches its scripts as variables only.
"""

import re
from typing import Any

from facemon.config.document import Config
from facemon.render.schedules.place import PAGE, Place

_UPLOAD = "actions/upload-artifact@v4.6.2"
_WORKFLOW = ".github/workflows/monitoring"
_RENDERED = re.compile(rf"{re.escape(_WORKFLOW)}(-[a-z0-9-]+)?\.yml")
_LABEL = "facemon-drift"
"""Of issues, reports and runs that wait for each other: a repository knows them by their names."""
_FOLDER = "facemon-drift"
"""Of one job, in the folder that its runner empties."""
_LONGEST_TITLE = 200
"""GitHub takes 256 characters."""

CHECK_SCRIPT = f"""\
folder="$RUNNER_TEMP/{_FOLDER}"
mkdir -p "$folder"
code=0
"$FACEMON" drift-check --format github --html || code=$?
echo "code=$code" >> "$GITHUB_OUTPUT"
case "$code" in
  0 | 3 | 4) ;; # no drift, drift, undecided: the check has answered
  *) exit "$code" ;;
esac
cp "$PAGE" "$folder/drift.html"
cp "$GITHUB_STEP_SUMMARY" "$folder/drift.md"
"""
ISSUE_SCRIPT = f"""\
body="$RUNNER_TEMP/issue.md"
# An issue holds 65,536 characters.
awk '{{ size += length($0) + 1 }} size > 60000 {{ exit }} {{ print }}' "$RUNNER_TEMP/{_FOLDER}/drift.md" > "$body"
printf '\\nThe whole report is an artifact of %s\\n' "$RUN_URL" >> "$body"
number=$(gh issue list --label "$LABEL" --state open --limit 1 --json number --jq '.[].number')
if [[ -n "$number" ]]; then
  gh issue comment "$number" --body-file "$body"
else
  gh label create "$LABEL" --force --description "Opened by facemon drift-check" --color D93F0B
  gh issue create --title "$TITLE" --label "$LABEL" --body-file "$body"
fi
"""


def workflow_path(config: Config) -> str:
    """Where the workflow is in the repository."""
    return f"{config.stack.named(_WORKFLOW)}.yml"


def is_workflow(path: str) -> bool:
    """Whether a path is that of the workflow of a stack."""
    return _RENDERED.fullmatch(path) is not None


def github_workflow(config: Config) -> dict[str, Any]:
    """The content of the workflow."""
    label = config.stack.named(_LABEL)
    job = {
        "name": "Drift check",
        "runs-on": [_literal(label) for label in config.schedule.runner],
        "timeout-minutes": 60,
        "steps": [_check(Place.of(config)), _tell(_title(config), label), _keep(label)],
    }
    return {
        "name": config.stack.named("facemon monitoring", " "),
        "on": {"schedule": [{"cron": config.schedule.drift_check}], "workflow_dispatch": {}},
        "permissions": {"issues": "write"},
        # Two runs at once could both find no open issue.
        "concurrency": {"group": label, "cancel-in-progress": False},
        "jobs": {"drift-check": job},
    }


def _script(place: Place) -> str:
    return CHECK_SCRIPT.replace(" drift-check ", f" {' '.join(('drift-check', *place.choice))} ")


def _check(place: Place) -> dict[str, Any]:
    return {
        "name": "Check for drift",
        "id": "drift",
        "shell": "bash",
        "env": {
            "FACEMON": _literal(place.command),
            "FACEMON_CONFIG": _literal(place.config_file),
            "PAGE": _literal(f"{place.store}/{PAGE}"),
        },
        "run": _script(place),
    }


def _tell(title: str, label: str) -> dict[str, Any]:
    return {
        "name": "Report drift in one issue",
        "if": "steps.drift.outputs.code == '3'",
        "shell": "bash",
        "env": {
            "GH_TOKEN": "${{ github.token }}",
            "GH_REPO": "${{ github.repository }}",
            "RUN_URL": "${{ github.server_url }}/${{ github.repository }}/actions/runs/${{ github.run_id }}",
            "LABEL": label,
            "TITLE": _literal(title),
        },
        "run": ISSUE_SCRIPT,
    }


def _keep(label: str) -> dict[str, Any]:
    return {
        "name": "Keep the report",
        # Also where telling of it has failed.
        "if": "${{ !cancelled() && steps.drift.outcome == 'success' }}",
        "uses": _UPLOAD,
        "with": {
            "name": label,
            "path": f"${{{{ runner.temp }}}}/{_FOLDER}",
            "if-no-files-found": "error",
            "retention-days": 90,
        },
    }


def _literal(text: str) -> str:
    """Text of the user's as a workflow gives it back: what would begin an expression is itself one."""
    return text.replace("${{", "${{ '${{' }}")


def _title(config: Config) -> str:
    return config.stack.named(f"Drift of {' '.join(config.model.id.split())}"[:_LONGEST_TITLE], ", stack ")
