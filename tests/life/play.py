"""Plays the events of a script in a running set-up, and holds every message against what must be told."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from facemon.config.durations import parse_duration
from tests.life.event import Event, Scene, Told
from tests.life.messages import FIRING, RESOLVED, WATCHDOG, Mailbox, Message, shown, told
from tests.life.setting import Setting
from tests.life.world import World, world
from tests.patience import HANG_S

_LOOK_EACH_S = 0.05
_SETTLES_IN_SCRAPES = 4


@dataclass(frozen=True, slots=True)
class Way:
    """How long an alert's way was from the trouble to its receiver, and how long it may be; in seconds."""

    event: str
    alert: str
    took_s: float
    stated_s: float


@dataclass(slots=True)
class Life:
    """What came of a set-up's script."""

    setting: Setting
    faults: list[str] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)
    events: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    early: int = 0
    """Alerts that were told as resolved too early where that is allowed."""
    seconds: float = 0.0


def live(setting: Setting, script: Sequence[Scene], tools: Path, folder: Path, *, patience_s: float = HANG_S) -> Life:
    """Start a set-up and play the script; what is not told within its time and `patience_s` is a fault."""
    life, began = Life(setting), time.monotonic()
    with world(setting, tools, folder) as made:
        stage = _Stage(made, life, patience_s)
        for scene in script:
            stage.play(scene)
        life.messages = len(stage.mailbox.since(0))
    life.seconds = time.monotonic() - began
    return life


class _Stage:
    """One running set-up, and how far its messages were judged."""

    def __init__(self, made: World, life: Life, patience_s: float) -> None:
        self._world, self._life, self._patience_s = made, life, patience_s
        self.mailbox = Mailbox(made.receivers)
        self._judged = 0
        self._rules = made.rules()
        self._may_end = Counter[frozenset[str]]()
        """How often something was told of as firing without being asked for, and not yet as over."""

    def play(self, scene: Scene) -> None:
        events = tuple(event for event in scene.events if event.happens(self._world.setting))
        if not events:
            return
        self._begin(events)
        for inner in scene.meanwhile:
            self.play(inner)
        if any(event.told for event in events):
            self._end(events)

    def _begin(self, events: Sequence[Event]) -> None:
        began = time.monotonic()
        for event in events:
            self._life.events[event.name] += 1
            event.begin(self._world)
        wanted = [(event, alert) for event in events for alert in event.told]
        due = max((self._stated_s(alert) for _, alert in wanted), default=0.0)
        lasts = max(event.lasts_s for event in events) * self._world.setting.scale
        self._wait_for([alert for _, alert in wanted], FIRING, until=began + due + self._patience_s)
        time.sleep(max(0.0, began + lasts - time.monotonic()))
        # What is wrong shows with the next flush; where something is told, that comes before its end is told.
        self._settle(flush=not wanted)
        found = self._judge(events, FIRING)
        self._life.ways += self._ways(wanted, found, began)

    def _end(self, events: Sequence[Event]) -> None:
        began = time.monotonic()
        for event in events:
            event.end(self._world)
        wanted = [alert for event in events for alert in event.told]
        flush = self._world.setting.group_interval_s * self._world.setting.scale
        kept = max((self._rule_s(alert, "keep_firing_for") for alert in wanted), default=0.0)
        slack_s = self._travels_s + 2 * flush + self._patience_s
        self._wait_for(wanted, RESOLVED, until=began + kept + slack_s)
        self._settle(flush=False)
        self._ended_late(wanted, self._judge(events, RESOLVED), began, slack_s)

    def _wait_for(self, alerts: Sequence[Told], status: str, *, until: float) -> None:
        while time.monotonic() < until:
            messages = self.mailbox.since(self._judged)
            if all(len(told(messages, alert.alert, status)) >= alert.messages for alert in alerts):
                return
            time.sleep(_LOOK_EACH_S)

    def _ended_late(self, alerts: Sequence[Told], found: Sequence[Message], began: float, slack_s: float) -> None:
        """Note each end that was told later than its alert is kept firing, whatever the others needed."""
        for alert in alerts:
            stated = self._rule_s(alert, "keep_firing_for") + slack_s
            for message in told(found, alert.alert, RESOLVED)[:1]:
                if message.at - began > stated:
                    took = f"{message.at - began:.1f} s, not {stated:.1f} s"
                    self._life.faults.append(f"{alert.alert} was told as resolved after {took}")

    def _settle(self, *, flush: bool) -> None:
        setting = self._world.setting
        time.sleep(_SETTLES_IN_SCRAPES * setting.interval_s + flush * setting.group_interval_s * setting.scale)

    def _judge(self, events: Sequence[Event], status: str) -> list[Message]:
        """Hold every message since the last judgement against the expected ones, each of which comes once."""
        messages = self.mailbox.since(self._judged)
        self._judged = len(self.mailbox.all())
        at = ", ".join(event.name for event in events)
        expected = {(alert.alert, status): alert.messages for event in events for alert in event.told}
        for (alert, how), often in expected.items():
            if (found := len(told(messages, alert, how))) != often:
                seen = ", ".join(sorted(self._world.seen_by_prometheus() - {WATCHDOG})) or "nothing"
                self._life.faults.append(f"{at}: {alert} was told {found} times as {how}, not {often}; firing: {seen}")
        names = frozenset(alert for alert, _ in expected)
        others = [message for message in messages if message.status != status or not message.alerts & names]
        if any(event.may_resolve_early for event in events):
            self._life.early += sum(message.status == RESOLVED for message in others)
            return messages
        may = frozenset[str]().union(*(event.may for event in events))
        self._judge_others(others, may, at)
        for message in messages:
            # A message that something is over may name what was over before.
            if message.status == FIRING == status and message.alerts & names and not message.alerts <= names | may:
                self._life.faults.append(f"{at}: {shown(message)} is about more than happened")
        return messages

    def _judge_others(self, others: Sequence[Message], may: frozenset[str], at: str) -> None:
        """Hold the messages that are not expected against what may be told: once, and its end for each beginning.

        The end comes when it comes, also after the event: an Alertmanager that is away again before it told the end
        tells it when it is back, beside that of the second time.
        """
        counted = Counter((message.alerts, message.status) for message in others)
        for (alerts, how), often in sorted(counted.items(), key=lambda item: item[0][1] != FIRING):
            allowed = alerts <= may
            most = int(allowed) if how == FIRING else max(int(allowed), self._may_end[alerts])
            if often > most:
                first = next(message for message in others if (message.alerts, message.status) == (alerts, how))
                self._life.faults.append(f"{at}: told {often} times of {shown(first)}, which nothing asks for")
            self._may_end[alerts] = max(0, self._may_end[alerts] + (often if how == FIRING else -often))

    def _ways(self, wanted: Sequence[tuple[Event, Told]], found: Sequence[Message], began: float) -> Iterator[Way]:
        for event, alert in wanted:
            for message in told(found, alert.alert, FIRING)[:1]:
                yield Way(event.name, alert.alert, message.at - began, self._stated_s(alert))
                if missing := [word for word in alert.names if word not in message.text]:
                    self._life.faults.append(f"{event.name}: {alert.alert} does not name {', '.join(missing)}")

    def _stated_s(self, alert: Told) -> float:
        """Seconds from the trouble to the message as stated.

        Its condition, its `for`, an export, a scrape, an evaluation, and the wait of a new group.
        """
        setting = self._world.setting
        return alert.after_s * setting.scale + self._rule_s(alert, "for") + self._travels_s + setting.group_wait_s

    @property
    def _travels_s(self) -> float:
        """Seconds from the store to Prometheus: an export, a scrape and an evaluation."""
        return 2 * self._world.setting.interval_s + self._world.export_period_s

    def _rule_s(self, alert: Told, key: str) -> float:
        """A duration of the alert's rule in seconds, 0 where the rule does without."""
        text = self._rules.get(alert.alert, {}).get(key)
        return parse_duration(text).total_seconds() if text else 0.0
