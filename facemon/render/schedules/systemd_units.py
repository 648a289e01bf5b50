"""A oneshot service for the check and a timer for the service, with as few rights as a check needs."""

from collections.abc import Sequence

from facemon.config.cron_times import CronTimes
from facemon.config.document import Config
from facemon.errors import ConfigError
from facemon.render.schedules.place import Place

UNIT = "facemon-drift-check"

_ABOUT = f"""\
# Copy {UNIT}.service and .timer to /etc/systemd/system, then: systemctl enable --now {UNIT}.timer
"""
_ANSWERS = """\
# 3 is drift and 4 undecided. They are answers, of which alerts tell; any other code is a failure of the check itself.
SuccessExitStatus=3 4
"""
_HOOK = """\
# drift.on_drift runs with these rights too; a drop-in with ReadWritePaths= gives it more.
"""
_RIGHTS = """\
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=true
PrivateDevices=true
ProtectClock=true
ProtectControlGroups=true
ProtectHostname=true
ProtectKernelLogs=true
ProtectKernelModules=true
ProtectKernelTunables=true
ProtectProc=invisible
NoNewPrivileges=true
CapabilityBoundingSet=
LockPersonality=true
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=true
RestrictRealtime=true
RestrictSUIDSGID=true
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
"""
_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")


def service(config: Config) -> str:
    """The content of the service, without the header; ConfigError for paths that a unit cannot name."""
    place = Place.of(config)
    place.refuse_control_characters("systemd")
    hook = config.drift.on_drift
    lines = [
        "[Unit]",
        "Description=facemon drift-check: has the world or the model moved?",
        "",
        "[Service]",
        "Type=oneshot",
        f"User={config.schedule.user}",
        f"ExecStart={_command(place.check())}",
        _ANSWERS.rstrip(),
        "",
        # A store that is not there yet is no reason not to start: the check says so better.
        f"ReadWritePaths={_word('-' + place.store)}",
        *([_HOOK.rstrip()] if hook else ["PrivateNetwork=true"]),
        _RIGHTS.rstrip(),
    ]
    return "\n".join((_ABOUT, *lines, ""))


def timer(config: Config) -> str:
    """The content of the timer, without the header."""
    times = CronTimes.parse(config.schedule.drift_check)
    lines = [
        "[Unit]",
        f"Description=When {UNIT} runs",
        "",
        "[Timer]",
        *(f"OnCalendar={moments}" for moments in on_calendar(times)),
        # A check that was missed while the machine was off is made up for.
        "Persistent=true",
        "RandomizedDelaySec=60",
        "",
        "[Install]",
        "WantedBy=timers.target",
    ]
    return "\n".join((_ABOUT, *lines, ""))


def on_calendar(times: CronTimes) -> tuple[str, ...]:
    """The moments as systemd.time(7) writes them; two expressions where either of two kinds of day suffices.

    systemd lets all parts of one expression hold at once, and a timer elapses at each of its expressions.
    """
    clock = f"{_field(times.hours, 24)}:{_field(times.minutes, 60)}:00 UTC"
    days, months = _field(times.days, 31), _field(times.months, 12)
    weekdays = "" if len(times.weekdays) == 7 else ",".join(_WEEKDAYS[day] for day in times.weekdays) + " "
    if times.either_day:
        return (f"*-{months}-{days} {clock}", f"{weekdays}*-{months}-* {clock}")
    return (f"{weekdays}*-{months}-{days} {clock}",)


def _field(numbers: Sequence[int], whole: int) -> str:
    return "*" if len(numbers) == whole else ",".join(f"{number:02}" for number in numbers)


def _command(words: Sequence[str]) -> str:
    """A command line in which no variable is expanded: that is what the colon before the program asks for."""
    if any(char in words[0] for char in "\"'\\"):
        raise ConfigError(
            f"schedule.command: systemd takes no quotes and no backslash in {words[0]!r}",
            hint="name a link to it",
        )
    return " ".join((_word(":" + words[0]), *map(_word, words[1:])))


def _word(text: str) -> str:
    """One word of a unit's line, whatever is in it but control characters."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return escaped if escaped == text and not any(char in " '" for char in text) else f'"{escaped}"'
