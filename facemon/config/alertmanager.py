"""The alertmanager section: who is told of what, by which way, and when no receiver is notified."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from facemon.config.quantities import Duration, HttpUrl, Items, LabelName, Name, PositiveDuration, Replicas
from facemon.config.receivers import ReceiverConfig, SmtpConfig
from facemon.config.section import MisfitError, Section

NULL_RECEIVER = "null"
"""The receiver that sends nothing."""

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]
_OLDEST = (0, 25)
"""Before it, neither PagerDuty's key nor the mail server's password is read from a file."""
_WAYS_BY_FILE = (0, 28)
"""0.27 refuses Teams' address in a file; 0.26 and 0.27 crash when a webhook whose address is in one answers badly."""


class RouteConfig(Section):
    """Alerts whose labels are as `match` says go to `receiver`: each label is one of the values."""

    match: Mapping[LabelName, str | Annotated[Items[str], Field(min_length=1)]] = Field(min_length=1)
    """Labels that an alert must have, each with its value or with a list of values."""
    receiver: Name
    """The name of the receiver that gets these alerts."""
    continue_: bool = Field(default=False, alias="continue")
    """Whether the next routes are tried too, though this one matches."""
    mute: Items[Name] = ()
    """Names of `mute_times` in which this route notifies no receiver."""
    group_wait: Duration | None = None
    """Wait before the first notification of a group; unset = as in the section alertmanager."""
    group_interval: PositiveDuration | None = None
    """Wait before a notification of new alerts in a group; unset = as in the section alertmanager."""
    repeat_interval: PositiveDuration | None = None
    """Wait before a notification is repeated; unset = as in the section alertmanager."""

    @model_validator(mode="after")
    def _values_can_be_tested(self) -> Self:
        fault = "holds the character NUL, which no command line can carry"
        if nul := [(("match", label), fault) for label in self.match if "\0" in "".join(self.values(label))]:
            raise MisfitError(*nul)
        return self

    def values(self, label: str) -> tuple[str, ...]:
        """What the label may be."""
        value = self.match[label]
        return (value,) if isinstance(value, str) else value


class ClockRangeConfig(Section):
    """Hours of a day, the end not included; 24:00 is its end."""

    from_: _Clock = Field(alias="from")
    """The first minute, e.g. "20:00"."""
    to: _Clock
    """The minute after the last, e.g. "24:00"."""

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.from_ >= self.to:
            raise ValueError("ends before it begins; a night is two ranges, one to 24:00 and one from 00:00")
        return self


class MuteTimeConfig(Section):
    """A time in which routes that name it notify no receiver: on these days, in these hours of them; none = on all."""

    name: Name
    """The name by which routes choose it."""
    weekdays: Items[Weekday] = ()
    """The days; none = each day."""
    hours: Items[ClockRangeConfig] = ()
    """The hours of each of these days; none = all of them."""
    location: Name = "UTC"
    """The time zone, as in Europe/Berlin."""

    @model_validator(mode="after")
    def _not_always(self) -> Self:
        if not (self.weekdays or self.hours):
            raise ValueError("names neither weekdays nor hours: it would always mute")
        return self

    @model_validator(mode="after")
    def _location_is_known(self) -> Self:
        if not _is_time_zone(self.location) and _is_time_zone("UTC"):
            raise MisfitError(
                (("location",), f"is {self.location!r}, which is not a time zone: write one like Europe/Berlin")
            )
        return self


class DeadManConfig(Section):
    """The receiver of the Watchdog: a service that alerts when the Watchdog stops."""

    receiver: Name
    """The name of the receiver."""
    repeat_interval: PositiveDuration = timedelta(minutes=5)
    """How often it hears that the alerting works."""


class AlertmanagerConfig(Section):
    """Receivers and routes; the first receiver gets every alert that no route claims."""

    url: HttpUrl = "http://localhost:9093"
    """Its address in a browser, for the link to a silence."""
    smtp: SmtpConfig | None = None
    """The server that email leaves by."""
    receivers: Items[ReceiverConfig] = ()
    """The first one gets every alert that no route claims."""
    routes: Items[RouteConfig] = ()
    """The first that matches gets the alert, and with continue also the next that does."""
    mute_times: Items[MuteTimeConfig] = ()
    """Times in which routes notify no receiver."""
    dead_man: DeadManConfig | None = None
    """The receiver of the Watchdog: a service that alerts when it stops."""
    group_by: Items[LabelName] | None = None
    """Alerts that agree in these share a message; unset = these and metrics.labels: one for an incident."""
    group_wait: Duration = timedelta(seconds=30)
    """Wait before the first notification of a group."""
    group_interval: PositiveDuration = timedelta(minutes=5)
    """Wait before a notification of new alerts in a group."""
    repeat_interval: PositiveDuration = timedelta(hours=4)
    """Wait before a notification is repeated."""
    replicas: Replicas = 1
    """Two or more: a cluster, which sends each notification once."""
    target_version: Annotated[str, Field(pattern=r"^\d+\.\d+$")] = "0.28"
    """The oldest Alertmanager that is to read the file; 0.25 or newer.

    What it could not read is refused here.
    """

    @property
    def version(self) -> tuple[int, int]:
        """The target version as numbers, which compare."""
        major, minor = self.target_version.split(".")
        return int(major), int(minor)

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        names = [receiver.name for receiver in self.receivers]
        if NULL_RECEIVER in names:
            raise ValueError(
                f"no receiver may be named {NULL_RECEIVER!r}: the receiver that sends nothing has this name"
            )
        times = [time.name for time in self.mute_times]
        faults = [*_doubles("receivers", "receiver", names), *_doubles("mute_times", "mute time", times)]
        for index, route in enumerate(self.routes):
            faults += _unknown(("routes", index, "receiver"), route.receiver, "receiver", names)
            for place, name in enumerate(route.mute):
                faults += _unknown(("routes", index, "mute", place), name, "mute time", times)
        if self.dead_man is not None:
            faults += _unknown(("dead_man", "receiver"), self.dead_man.receiver, "receiver", names)
        for index, receiver in enumerate(self.receivers):
            if receiver.email and self.smtp is None:
                faults.append((("receivers", index, "email"), "needs alertmanager.smtp, the server to send by"))
        if self.group_by is not None and len(set(self.group_by)) != len(self.group_by):
            faults.append((("group_by",), "names a label twice"))
        if faults := [*faults, *self._too_new()]:
            raise MisfitError(*faults)
        return self

    def _too_new(self) -> "_Faults":
        """What the Alertmanager of `target_version` could not read."""
        if self.version < _OLDEST:
            return [(("target_version",), f"is {self.target_version}; facemon writes for 0.25 and newer")]
        if self.version >= _WAYS_BY_FILE:
            return []
        fault = f"needs Alertmanager 0.28, and target_version is {self.target_version}"
        return [
            *((("receivers", index, "teams"), fault) for index, each in enumerate(self.receivers) if each.teams),
            *(
                (("receivers", index, "webhook", place, "url_file"), fault)
                for index, each in enumerate(self.receivers)
                for place, webhook in enumerate(each.webhook)
                if webhook.url_file is not None
            ),
        ]


def _is_time_zone(name: str) -> bool:
    """Whether the machine's database has it; without a database nothing is one."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


_Faults = list[tuple[tuple[str | int, ...], str]]


def _doubles(key: str, what: str, names: list[str]) -> _Faults:
    return [
        ((key, index, "name"), f"is {name!r}, the name of an earlier {what}")
        for index, name in enumerate(names)
        if name in names[:index]
    ]


def _unknown(keys: tuple[str | int, ...], name: str, what: str, names: list[str]) -> _Faults:
    return (
        []
        if name in names
        else [(keys, f"is {name!r}, not the name of a {what} ({', '.join(names) or 'there are none'})")]
    )
