"""A file for /etc/cron.d. What the user named stands in variables, where nothing but the value's ends needs quotes."""

from facemon.config.document import Config
from facemon.errors import ConfigError
from facemon.render.schedules.place import Place

_ABOUT = """\
# Copy this file to /etc/cron.d/{file}; a crontab of the user's own has no column for the user.
#
# Hours are UTC where cron knows CRON_TZ, as cronie does. Debian's and Ubuntu's does not, and takes them for the
# machine's own time: there, let the machine's clock be UTC, or use the systemd timer.
#
# A check that begins while the one before still runs is left out, with exit code 75. What a check prints goes to
# syslog and is mailed; with FACEMON_QUIET that is trouble only. The line ends with the check's own exit code.
# MAILTO=somebody@example.com
"""
_LONGEST = 1000
"""Characters that cron reads of a variable and its value."""

_CHECK = (
    "set -o pipefail; "
    'flock --nonblock --conflict-exit-code 75 --close "$FACEMON_CONFIG" "$FACEMON" {check} 2>&1 '
    "| tee >(logger --tag {tag})"
)
"""The lock is on the configuration: it is there before the first check, and each has its own."""

_EXPORT = 'set -o pipefail; "$FACEMON" export-metrics 2>&1 | tee >(logger --tag {tag})'
"""Its options are in the variables that the command reads. It has no lock: two exports at once do no harm."""


def crontab_name(config: Config) -> str:
    """The file's name in /etc/cron.d, where cron and run-parts take letters, digits, - and _."""
    return config.stack.named("facemon")


def crontab(config: Config) -> str:
    """The content of the file, without the header; ConfigError for a value that cron cannot hold."""
    place = Place.of(config)
    place.refuse_control_characters("cron")
    variables = {
        # Not sh, which has neither pipefail nor >( ).
        "SHELL": "/bin/bash",
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "CRON_TZ": "UTC",
        "FACEMON": place.command,
        "FACEMON_CONFIG": place.config_file,
        "FACEMON_QUIET": "1",
    }
    schedule = config.schedule
    if schedule.export is not None:
        variables |= {
            f"FACEMON_EXPORT_METRICS_{name.replace('-', '_').upper()}": value
            for name, value in schedule.export.options.items()
        }
    lines = [_assignment(name, value) for name, value in variables.items()]
    tag = config.stack.named("facemon-drift-check")
    check = _CHECK.format(check=" ".join(("drift-check", *place.choice)), tag=tag)
    jobs = [f"{schedule.drift_check} {schedule.user} {check}"]
    if schedule.export is not None:
        export = _EXPORT.format(tag=config.stack.named("facemon-export-metrics"))
        jobs.append(f"{schedule.export.times} {schedule.user} {export}")
    return "\n".join((_ABOUT.format(file=crontab_name(config)), *lines, "", *jobs, ""))


def _assignment(name: str, value: str) -> str:
    """A line that gives `name` this value: cron takes it as it stands, but cuts blanks at its ends."""
    quote = next((quote for quote in ("", '"', "'") if _survives(value, quote)), None)
    line = f"{name}={quote}{value}{quote}"
    if quote is None or len(line.encode()) >= _LONGEST:
        raise ConfigError(
            f"schedule.targets: cron cannot hold {value!r}",
            hint="use a shorter value, without quotes and blanks at its ends",
        )
    return line


def _survives(value: str, quote: str) -> bool:
    return quote not in value if quote else value == value.strip(" \t") and value[:1] not in ("'", '"')
