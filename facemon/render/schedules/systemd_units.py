"""Oneshot services for the check and for exports, and a timer for each, with as few rights as they need."""

import posixpath
from collections.abc import Sequence

from facemon.config.cron_times import CronTimes
from facemon.config.document import Config
from facemon.config.schedule import ScheduledExportConfig
from facemon.errors import ConfigError
from facemon.render.schedules.place import Place

_ABOUT = """\
# Copy {unit}.service and .timer to /etc/systemd/system, then: systemctl enable --now {unit}.timer
"""
_ANSWERS = """\
# 3 is drift and 4 undecided. They are results, which alerts report; any other code is a failure of the check itself.
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


def check_unit(config: Config) -> str:
    """The name of the check's service and of its timer."""
    return config.stack.named("facemon-drift-check")


def export_unit(config: Config) -> str:
    """The name of the exports' service and of their timer."""
    return config.stack.named("facemon-export-metrics")


def service(config: Config) -> str:
    """The content of the check's service, without the header; ConfigError for paths that a unit cannot name."""
    place, hook = _place(config), config.drift.on_drift
    return _service(
        check_unit(config),
        "drift-check: detect data drift and model drift",
        config,
        place.check(),
        [
            _ANSWERS.rstrip(),
            "",
            *_writable(place.store),
            *([_HOOK.rstrip()] if hook else ["PrivateNetwork=true"]),
        ],
    )


def timer(config: Config) -> str:
    """The content of the check's timer, without the header."""
    # A check that was missed while the machine was off is made up for.
    return _timer(check_unit(config), config.schedule.drift_check, "Persistent=true", "RandomizedDelaySec=60")


def export_service(config: Config, export: ScheduledExportConfig) -> str:
    """The content of the exports' service, without the header; ConfigError for paths that a unit cannot name."""
    place = _place(config)
    words = [word for name, value in export.options.items() for word in (f"--{name}", value)]
    folders = [place.store] if export.textfile is None else [place.store, posixpath.dirname(export.textfile)]
    return _service(
        export_unit(config),
        "export-metrics: export the store's metrics for Prometheus",
        config,
        (place.command, "--config", place.config_file, "export-metrics", *words),
        [*_writable(*folders), *(["PrivateNetwork=true"] if export.pushgateway is None else [])],
    )


def export_timer(config: Config, export: ScheduledExportConfig) -> str:
    """The content of the exports' timer, without the header."""
    return _timer(export_unit(config), export.times)


def _place(config: Config) -> Place:
    place = Place.of(config)
    place.refuse_control_characters("systemd")
    return place


def _writable(*folders: str) -> list[str]:
    # A folder that is not there yet does not stop the unit: the command reports it.
    return [f"ReadWritePaths={_word('-' + folder)}" for folder in folders]


def _service(unit: str, about: str, config: Config, words: Sequence[str], rights: Sequence[str]) -> str:
    lines = [
        "[Unit]",
        f"Description=facemon {config.stack.named(about, ', stack ')}",
        "",
        "[Service]",
        "Type=oneshot",
        f"User={config.schedule.user}",
        f"ExecStart={_command(words)}",
        *rights,
        _RIGHTS.rstrip(),
    ]
    return "\n".join((_ABOUT.format(unit=unit), *lines, ""))


def _timer(unit: str, line: str, *options: str) -> str:
    lines = [
        "[Unit]",
        f"Description=When {unit} runs",
        "",
        "[Timer]",
        *(f"OnCalendar={moments}" for moments in on_calendar(CronTimes.parse(line))),
        *options,
        "",
        "[Install]",
        "WantedBy=timers.target",
    ]
    return "\n".join((_ABOUT.format(unit=unit), *lines, ""))


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
