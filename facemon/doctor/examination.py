"""What every area is given: the configuration, how the store is read, and the servers that were asked for.

A look changes nothing: the ledger is read in transactions that do not write, which hinder no writer, and an older
store is not upgraded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from facemon.config.document import Config
from facemon.errors import FacemonError

if TYPE_CHECKING:
    from facemon.doctor.prometheus_facts import PrometheusFacts
    from facemon.domain.decision_plan import DecisionPlan
    from facemon.render.output_tree import Change
    from facemon.render.stack import Part
    from facemon.store.ledger.protocol import Ledger
    from facemon.store.named_reference import Reference

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AskedServers:
    """The servers and files that the user named; None for those that are not looked at, or are found elsewhere."""

    prometheus: str | None = None
    alertmanager: str | None = None
    grafana: str | None = None
    grafana_token: str | None = field(default=None, repr=False)
    api: str | None = None
    exporter: str | None = None
    textfile: Path | None = None
    out: Path = Path()
    """The folder in which the stack was rendered."""
    alerts: Sequence[str] = ()
    """Alerts of which it is asked why they do not fire."""


@dataclass(frozen=True)  # cached properties need a dictionary
class Examination:
    """One look at everything."""

    config: Config
    """As the file says it."""
    fitted: Config
    """With all that follows from `stack.for`."""
    servers: AskedServers
    open_ledger: "Callable[[], Ledger]"
    """Opens the store without an upgrade; FacemonError where it cannot be read."""
    plan: "Callable[[Ledger, Reference], DecisionPlan | None]"
    """Plans the checks with a reference."""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @cached_property
    def store_trouble(self) -> FacemonError | None:
        """Why the store cannot be read; None where it can."""
        from facemon.store.ledger.opening import STORE_VERSION

        try:
            with self.open_ledger() as ledger:
                if ledger.version < STORE_VERSION:
                    return FacemonError(
                        f"the store has version {ledger.version}, and this facemon writes {STORE_VERSION}",
                        "facemon store verify upgrades it; facemon store backup FILE saves it before that",
                    )
        except FacemonError as error:
            return error
        return None

    def read_store(self, read: "Callable[[Ledger], T]") -> T | None:
        """What a function reads of the store in one transaction; None where the store cannot be read."""
        if self.store_trouble is not None:
            return None
        with self.open_ledger() as ledger, ledger.reading():
            return read(ledger)

    @cached_property
    def asked_prometheus(self) -> "PrometheusFacts | FacemonError | None":
        """What Prometheus says, or why it does not answer; None where it was not asked for."""
        from facemon.doctor.prometheus_facts import prometheus_facts

        if self.servers.prometheus is None:
            return None
        try:
            return prometheus_facts(self.servers.prometheus)
        except FacemonError as error:
            return error

    @cached_property
    def changes(self) -> "Sequence[Change] | None":
        """How the files below `servers.out` stand to their rendering; None where nothing was rendered there.

        Parts that were left out by `--only` are not missing. FacemonError where the configuration cannot be rendered.
        """
        from facemon.render.output_tree import plan
        from facemon.render.stack import render_stack

        if not self.rendered_parts:
            return None
        out = self.servers.out
        return plan(render_stack(self.config, out_dir=out).of_parts(self.rendered_parts), out)

    @cached_property
    def rendered_parts(self) -> "frozenset[Part]":
        """The parts of the stack that were rendered below `servers.out`; none where nothing was.

        All of them where the list of what was rendered cannot be read, which `changes` says.
        """
        from facemon.render.output_tree import MANIFEST, rendered_parts
        from facemon.render.stack import Part

        if not (self.servers.out / MANIFEST).is_file():
            return frozenset()
        try:
            return rendered_parts(self.servers.out)
        except FacemonError:
            return frozenset(Part)

    @property
    def parts_alone(self) -> tuple[str, ...]:
        """The parts that were rendered, where `--only` left others out."""
        from facemon.render.stack import Part

        parts = self.rendered_parts
        return () if parts in (frozenset(), frozenset(Part)) else tuple(part for part in Part if part in parts)

    @property
    def edited_parts(self) -> frozenset[str]:
        """The parts of the stack of which a file was edited by hand, so that render-config keeps it."""
        from facemon.render.output_tree import ChangeKind

        try:
            changes = self.changes or ()
        except (FacemonError, OSError):
            return frozenset()  # the finding of an area
        kept = (each.path for each in changes if each.kind in (ChangeKind.EDITED, ChangeKind.FOREIGN))
        return frozenset(path.removeprefix("monitoring/").partition("/")[0] for path in kept)

    @property
    def prometheus(self) -> "PrometheusFacts | None":
        """What Prometheus says; None where it was not asked for, or does not answer."""
        asked = self.asked_prometheus
        return None if isinstance(asked, FacemonError) else asked
