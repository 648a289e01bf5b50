"""tests/routes.sh: asks amtool whom each rendered alert reaches, and holds it against what facemon reckons itself."""

import shlex
from collections.abc import Iterator, Mapping, Sequence

from facemon.config.document import Config
from facemon.render.alert import Alert
from facemon.render.alert_labels import label_space
from facemon.render.promql import equals
from facemon.render.routing import claims, left_for, receivers_of, unclaimed

_OPENING = """\
# shellcheck shell=sh
# Whom does each alert reach? Usage: sh routes.sh [alertmanager.yml], with amtool on PATH or named in AMTOOL.
set -u

file=${1:-$(dirname -- "$0")/../alertmanager.yml}
amtool=${AMTOOL:-amtool}
tests=0
failures=0

if ! command -v "$amtool" >/dev/null; then
    echo "routes.sh: $amtool is not there; name it in AMTOOL" >&2
    exit 1
fi
"$amtool" check-config "$file" >/dev/null || exit 1

# reaches RECEIVERS LABEL...: the receivers are joined by commas, in the order of the routes.
reaches() {
    receivers=$1
    shift
    tests=$((tests + 1))
    if ! said=$("$amtool" config routes test --config.file="$file" --verify.receivers="$receivers" "$@" 2>&1); then
        failures=$((failures + 1))
        printf 'FAILED: %s\nshould reach: %s\namtool says: %s\n' "$*" "$receivers" "$said"
    fi
}
"""
_END = """\
echo "$tests routes tested, $failures failed"
[ "$failures" -eq 0 ]
"""


def route_tests(config: Config, alerts: Sequence[Alert]) -> str:
    """The script, without the line that says where it comes from."""
    settings = config.alertmanager
    lines = [
        shlex.join(["reaches", ",".join(receivers_of(labels, settings)), *_arguments(labels)])
        for alert in alerts
        for labels in examples(alert, config)
    ]
    return "\n".join([_OPENING, *lines, "", _END])


def examples(alert: Alert, config: Config) -> Iterator[Mapping[str, str]]:
    """Label sets of an alert: one for each route that it can reach, and one that no route claims."""
    everything = claims(config.alertmanager)
    space = label_space(alert, config)
    parts = (
        *(left_for(claim, everything[:place], space) for place, claim in enumerate(everything)),
        unclaimed(everything, space),
    )
    usual = next((scenario.fires.labels for scenario in alert.scenarios if scenario.fires), {})
    found = [part.example(usual) for part in parts if part is not None]
    return (labels for place, labels in enumerate(found) if labels not in found[:place])


def _arguments(labels: Mapping[str, str]) -> list[str]:
    """The labels as amtool reads them: quoted, or it would take what is special in a matcher for its own."""
    return [equals(name, value).text for name, value in labels.items()]
