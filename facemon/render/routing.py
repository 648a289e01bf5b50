"""Which receivers an alert reaches, reckoned from the configuration alone: Alertmanager's own rules, told again.

The generated route tests hold what this says against what amtool says.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from facemon.config.alertmanager import NULL_RECEIVER, AlertmanagerConfig
from facemon.render.alert_labels import LabelSpace, Match, Values

WATCHDOG = "Watchdog"


@dataclass(frozen=True, slots=True)
class Claim:
    """A route, as far as it decides: what it matches, who is told, and whether later routes are asked too."""

    match: Match
    receiver: str
    continues: bool = False
    index: int | None = None
    """Its place in `alertmanager.routes`; none = one that facemon adds."""


def claims(settings: AlertmanagerConfig) -> tuple[Claim, ...]:
    """The routes in their order. The Watchdog's stands first, so that no other can keep it from the dead man's."""
    dead_man = NULL_RECEIVER if settings.dead_man is None else settings.dead_man.receiver
    watchdog = Claim({"alertname": Values(frozenset({WATCHDOG}))}, dead_man)
    configured = (
        Claim(
            {label: Values(frozenset(route.values(label))) for label in route.match},
            route.receiver,
            route.continue_,
            index,
        )
        for index, route in enumerate(settings.routes)
    )
    return (watchdog, *configured)


def default_receiver(settings: AlertmanagerConfig) -> str:
    """Who gets what no route claims."""
    return settings.receivers[0].name if settings.receivers else NULL_RECEIVER


def unrouted(settings: AlertmanagerConfig) -> tuple[str, ...]:
    """The receivers that get no notifications: no route names them, and they are not the first."""
    named = {default_receiver(settings), *(claim.receiver for claim in claims(settings))}
    return tuple(receiver.name for receiver in settings.receivers if receiver.name not in named)


def receivers_of(labels: Mapping[str, str], settings: AlertmanagerConfig) -> tuple[str, ...]:
    """The receivers of an alert with these labels, in the order of the routes."""
    told = []
    for claim in claims(settings):
        if all(labels.get(label, "") in values for label, values in claim.match.items()):
            told.append(claim.receiver)
            if not claim.continues:
                break
    return tuple(told) or (default_receiver(settings),)


def left_for(claim: Claim, before: Sequence[Claim], space: LabelSpace) -> LabelSpace | None:
    """A part of an alert's label sets that gets as far as the claim and matches it; None when there is none."""
    matched = space.within(claim.match)
    taken = [earlier.match for earlier in before if not earlier.continues]
    return None if matched is None else next(_outside_all(matched, taken), None)


def unclaimed(everything: Sequence[Claim], space: LabelSpace) -> LabelSpace | None:
    """A part of an alert's label sets that no claim matches; None when there is none."""
    return next(_outside_all(space, [claim.match for claim in everything]), None)


def _outside_all(space: LabelSpace, matches: Sequence[Match]) -> Iterator[LabelSpace]:
    """The parts that none matches, found one after another; what matches everything, or little else, is tried first."""
    near = [match for match in matches if space.within(match) is not None]
    if not near:
        yield space
        return
    near.sort(key=lambda match: len(space.differing(match)))
    for piece in space.outside(near[0]):
        yield from _outside_all(piece, near[1:])
