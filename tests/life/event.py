"""What an event of ordinary life is: how it begins and ends, and which alerts must be told because of it."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.life.setting import Setting
from tests.life.world import World

Change = Callable[[World], None]


@dataclass(frozen=True, slots=True)
class Told:
    """An alert that must be told: one message when it fires, and one when it is over."""

    alert: str
    after_s: float = 0.0
    """Usual seconds until its condition holds; its `for` is counted from then on."""
    names: tuple[str, ...] = ()
    """What the message must say: the link that is dead, the command that mends it."""
    messages: int = 1
    """Incidents that are one message each, such as the two checks of a schedule."""


def _nothing(_: World) -> None:
    """Change nothing."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event; without anything to be told it must pass unnoticed."""

    name: str
    begin: Change
    end: Change = _nothing
    told: tuple[Told, ...] = ()
    may: frozenset[str] = frozenset()
    """What may be told beside, once: it says the same in other words."""
    lasts_s: float = 0.0
    """Usual seconds that it lasts at least."""
    may_resolve_early: bool = False
    """Whether an alert of before may be told as resolved and fire again: counted, and not held against it."""
    happens: Callable[[Setting], bool] = lambda _: True


@dataclass(frozen=True, slots=True)
class Scene:
    """Events that begin together, what happens meanwhile, and then their end."""

    events: tuple[Event, ...]
    meanwhile: "tuple[Scene, ...]" = ()

    def all_events(self) -> "tuple[Event, ...]":
        """Its events, and those that happen meanwhile."""
        return (*self.events, *(event for inner in self.meanwhile for event in inner.all_events()))
