"""The monitoring stack of a configuration: rendered, judged, compared with what is on disk, written, and loaded."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.application.operation import Operation
from facemon.errors import FacemonError, UsageError
from facemon.printable import Lines

if TYPE_CHECKING:
    from facemon.config.document import Config
    from facemon.config.stack import Purpose
    from facemon.render.output_tree import Change
    from facemon.render.reload import RunningServer
    from facemon.render.stack import Part, RenderedStack


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """What is rendered, and where it goes."""

    out: Path = Path()
    only: Sequence[str] = ()
    """Names of parts; none for all."""
    purpose: "Purpose | None" = None
    """What runs where; None for `stack.for`."""
    verifies: bool = False
    """Whether lint, promtool and amtool judge it."""
    reloads: bool = False
    """Whether running servers are to read what is written."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How files on disk differ from their rendering."""

    plan: "tuple[Change, ...]"

    @property
    def differs(self) -> bool:
        """Whether a file is not as it was rendered."""
        from facemon.render.output_tree import differs

        return differs(self.plan)

    @property
    def changes(self) -> tuple[str, ...]:
        """What would become of each file that is not as it was rendered."""
        from facemon.render.output_tree import ChangeKind

        return tuple(f"{each.kind.value}: {each.path}" for each in self.plan if each.kind is not ChangeKind.UNCHANGED)

    def diff(self) -> str:
        """The same line by line."""
        from facemon.render.output_tree import diff

        return diff(self.plan)


@dataclass(frozen=True, slots=True)
class Rendering:
    """A rendered stack that nothing has refused."""

    stack: "RenderedStack"
    config: "Config"
    """The configuration, fitted to what runs where."""
    out: Path
    servers: "Sequence[RunningServer] | None" = None
    """Those that are to read the files; None where none was asked to."""

    def changes(self) -> "tuple[Change, ...]":
        """How the files on disk stand to their rendering; nothing is written."""
        from facemon.render.output_tree import plan

        return plan(self.stack, self.out)

    def comparison(self) -> "Comparison":
        """How the files on disk differ from their rendering; nothing is written."""
        return Comparison(self.changes())


def render_stack(operation: Operation, request: RenderRequest) -> Rendering:
    """Render the stack and say what is to be known of it; FacemonError where a tool that was asked refuses it."""
    from facemon.render.purpose import fitted
    from facemon.render.stack import render_stack as render

    parts = _parts(request.only)
    config = fitted(operation.config, request.out, request.purpose)
    servers = _running_servers(config, request.out, parts) if request.reloads else None
    stack = render(config, parts, request.out)
    for note in stack.notes:
        operation.reporter.say(f"note: {note}")
    purpose = config.stack.for_
    if purpose != operation.config.stack.for_:
        operation.reporter.say(f"note: --for {purpose} is for this run; to keep it, write stack: {{for: {purpose}}}")
    if request.verifies:
        _verify(operation, stack, config)
    return Rendering(stack, config, request.out, servers)


def write_stack(
    operation: Operation, rendering: Rendering, *, prune: bool = False, force: bool = False
) -> "tuple[str, ...]":
    """Write what differs, make the servers read it, and return the paths below the folder that were written.

    FacemonError where a file was kept or a server did not read it.
    """
    from facemon.render.local_files import make_local_files
    from facemon.render.output_tree import write
    from facemon.render.stack import COMPOSE_FILE

    reporter, config, out, count = operation.reporter, rendering.config, rendering.out, len(rendering.stack.files)
    source = config.directory / config.file_name
    done = write(rendering.changes(), out, source=source, parts=rendering.stack.parts, force=force, prune=prune)
    for path in done.pruned:
        reporter.say(f"removed {out / path}")
    for path in done.kept:
        reporter.warn(f"{out / path} is not as facemon wrote it, and was kept")
    reporter.say(f"{len(done.written)} of {count} files written below {out}")
    if COMPOSE_FILE in rendering.stack.files:
        for said in make_local_files(config, out):
            reporter.say(f"note: {said}")
    if done.kept:
        raise FacemonError(
            f"{len(done.kept)} of {count} files were kept as they are",
            "--diff shows the differences, --force overwrites them",
        )
    if rendering.servers is not None:
        _reload(operation, rendering.config, rendering.servers, done.written)
    return done.written


def _parts(names: Sequence[str]) -> "tuple[Part, ...]":
    from facemon.render.stack import Part

    if unknown := [name for name in names if name not in set(Part)]:
        raise UsageError(f"--only {unknown[0]!r}: no such part", f"choose from {', '.join(Part)}")
    return tuple(Part(name) for name in names)


def _running_servers(config: "Config", out: Path, parts: "tuple[Part, ...]") -> "tuple[RunningServer, ...]":
    from facemon.render.reload import SERVERS, servers_of
    from facemon.render.stack import Part

    kinds = tuple(kind for kind in SERVERS if not parts or Part(kind) in parts)
    if not kinds:
        raise UsageError("--reload: no server reads the files of --only", "name prometheus or alertmanager there too")
    return servers_of(config, out, kinds)


def _verify(operation: Operation, stack: "RenderedStack", config: "Config") -> None:
    """Let lint and tools judge; FacemonError for what they refuse. What could not be asked is said."""
    from facemon.render.verification import Outcome, look_over, unjudged, verify

    refused = []
    for found in (look_over(stack, config), *verify(stack), *unjudged(stack)):
        if found.outcome is Outcome.REFUSED:
            # In quiet mode too: it is why the command fails.
            operation.reporter.warn(Lines(f"{found.what}: {found.outcome.value}\n{found.detail}"))
            refused.append(found.what)
        else:
            detail = f" ({found.detail})" if found.detail else ""
            operation.reporter.say(f"{found.what}: {found.outcome.value}{detail}")
    if refused:
        raise FacemonError(f"{', '.join(refused)} refused what was rendered", "nothing was written")


def _reload(operation: Operation, config: "Config", servers: "Sequence[RunningServer]", written: Sequence[str]) -> None:
    """Make servers read what was written; FacemonError unless each of them did."""
    from facemon.render.reload import reload

    if any("/grafana/provisioning/" in path for path in written):
        operation.reporter.say("note: Grafana reads its data sources and folders when it starts: restart it")
    faults = []
    for server in servers:
        try:
            reload(server, config.stack.reload.timeout.total_seconds())
        except FacemonError as error:
            faults.append(error)
        else:
            operation.reporter.say(f"{server} has loaded the files")
    for fault in faults[:-1]:
        operation.reporter.warn(f"{fault.message} ({fault.hint})" if fault.hint else fault.message)
    if faults:
        raise faults[-1]
