"""`facemon render-config`: the whole monitoring stack from one YAML file."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facemon.cli.command import command
from facemon.cli.session import Session
from facemon.errors import ExitCode, FacemonError, UsageError
from facemon.printable import Lines

if TYPE_CHECKING:
    from facemon.config.document import Config
    from facemon.render.output_tree import Change
    from facemon.render.reload import RunningServer
    from facemon.render.stack import Part, RenderedStack

app = typer.Typer()


class _Purpose(StrEnum):
    """What `--for` chooses between, as `stack.for` does."""

    FULL = "full"
    MONITORING = "monitoring"
    EXISTING = "existing"
    TEXTFILE = "textfile"
    PUSHGATEWAY = "pushgateway"


@command(app, "render-config")
def render_config(
    session: Session,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where to write.")] = Path(),
    only: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            help="Only these: prometheus, alertmanager, grafana, runbooks, compose, schedules; with commas.",
        ),
    ] = None,
    for_: Annotated[
        _Purpose | None, typer.Option("--for", help="What runs where, instead of stack.for of the configuration.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 3 if the files on disk differ.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Write nothing; print what would change.")] = False,
    stdout: Annotated[str | None, typer.Option(metavar="NAME", help="Print one file instead of writing.")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Let lint, promtool and amtool judge it first.")] = False,
    reload: Annotated[
        bool, typer.Option("--reload", help="Then make the running servers read the files, and say what they did.")
    ] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Remove files that are rendered no longer.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite files that were edited by hand, or are not ours.")
    ] = False,
) -> ExitCode:
    """Write Prometheus, Alertmanager and Grafana configuration, and the tests that prove it."""
    from facemon.render.purpose import fitted
    from facemon.render.stack import render_stack

    _require_one_task(
        stdout,
        writing=[option for option, given in (("--prune", prune), ("--force", force), ("--reload", reload)) if given],
        looking=[option for option, given in (("--check", check), ("--diff", diff)) if given],
    )
    parts = _parts(only)
    config = fitted(session.config, out, for_.value if for_ else None)
    servers = _running_servers(config, out, parts) if reload else ()
    stack = render_stack(config, parts, out)
    _say_notes(session, stack, config)
    if verify:
        _verify(session, stack, config)
    if stdout is not None:
        session.console.file(stack.text_of(stdout).rstrip("\n"))
        return ExitCode.OK
    if check or diff:
        return _compare(session, stack, out, diff)
    written = _write(session, stack, config, out, prune, force)
    _reload(session, servers, config)
    if reload and any("/grafana/provisioning/" in path for path in written):
        session.console.say("note: Grafana reads its data sources and folders when it starts: restart it")
    return ExitCode.OK


def _require_one_task(stdout: str | None, writing: Sequence[str], looking: Sequence[str]) -> None:
    if stdout is not None and (writing or looking):
        excess = " and ".join((*looking, *writing))
        raise UsageError("--stdout prints one file and writes none", f"leave out {excess}, or --stdout")
    if looking and writing:
        raise UsageError(f"{looking[0]} writes nothing, so that {writing[0]} would do nothing", "leave out one of them")


def _say_notes(session: Session, stack: "RenderedStack", config: "Config") -> None:
    for note in stack.notes:
        session.console.say(f"note: {note}")
    purpose = config.stack.for_
    if purpose != session.config.stack.for_:
        session.console.say(f"note: --for {purpose} is for this run; to keep it, write stack: {{for: {purpose}}}")


def _running_servers(config: "Config", out: Path, parts: "tuple[Part, ...]") -> "tuple[RunningServer, ...]":
    from facemon.render.reload import SERVERS, servers_of
    from facemon.render.stack import Part

    kinds = tuple(kind for kind in SERVERS if not parts or Part(kind) in parts)
    if not kinds:
        raise UsageError("--reload: no server reads the files of --only", "name prometheus or alertmanager there too")
    return servers_of(config, out, kinds)


def _parts(only: str | None) -> "tuple[Part, ...]":
    from facemon.render.stack import Part

    names = [] if only is None else [name.strip() for name in only.split(",")]
    if unknown := [name for name in names if name not in set(Part)]:
        raise UsageError(f"--only {unknown[0]!r}: there is no such part", f"choose from {', '.join(Part)}")
    return tuple(Part(name) for name in names)


def _verify(session: Session, stack: "RenderedStack", config: "Config") -> None:
    """Let lint and tools judge; FacemonError for what they refuse. What could not be asked is said."""
    from facemon.render.verification import Outcome, look_over, unjudged
    from facemon.render.verification import verify as ask_the_tools

    refused = []
    for found in (look_over(stack, config), *ask_the_tools(stack), *unjudged(stack)):
        if found.outcome is Outcome.REFUSED:
            # In quiet mode too: it is why the command fails.
            session.console.warn(Lines(f"{found.what}: {found.outcome.value}\n{found.detail}"))
            refused.append(found.what)
        else:
            session.console.say(f"{found.what}: {found.outcome.value}{f' ({found.detail})' if found.detail else ''}")
    if refused:
        raise FacemonError(f"{', '.join(refused)} refused what was rendered", "nothing was written")


def _compare(session: Session, stack: "RenderedStack", out: Path, show: bool) -> ExitCode:
    from facemon.render.output_tree import ChangeKind, differs, plan
    from facemon.render.output_tree import diff as diff_of

    changes = plan(stack, out)
    if show and (text := diff_of(changes)):
        session.console.file(text.rstrip("\n"))
    if not show:
        for change in changes:
            if change.kind is not ChangeKind.UNCHANGED:
                session.console.result(f"{change.kind.value}: {change.path}")
    return ExitCode.FOUND if differs(changes) else ExitCode.OK


def _write(
    session: Session, stack: "RenderedStack", config: "Config", out: Path, prune: bool, force: bool
) -> Sequence[str]:
    """Write what differs, and answer the paths; FacemonError where a file was kept instead."""
    from facemon.render.local_files import make_local_files
    from facemon.render.output_tree import plan, write
    from facemon.render.stack import COMPOSE_FILE

    changes: tuple[Change, ...] = plan(stack, out)
    done = write(changes, out, source=config.directory / config.file_name, force=force, prune=prune)
    for path in done.pruned:
        session.console.say(f"removed {out / path}")
    for path in done.kept:
        session.console.warn(f"{out / path} is not as facemon wrote it, and was kept")
    session.console.say(f"{len(done.written)} of {len(stack.files)} files written below {out}")
    if COMPOSE_FILE in stack.files:
        for said in make_local_files(config, out):
            session.console.say(f"note: {said}")
    if done.kept:
        raise FacemonError(
            f"{len(done.kept)} of {len(stack.files)} files were kept as they are",
            "--diff shows the differences, --force overwrites them",
        )
    return done.written


def _reload(session: Session, servers: "Sequence[RunningServer]", config: "Config") -> None:
    """Make servers read what was written; FacemonError unless each of them did."""
    faults = []
    for server in servers:
        from facemon.render.reload import reload

        try:
            reload(server, config.stack.reload.timeout.total_seconds())
        except FacemonError as error:
            faults.append(error)
        else:
            session.console.say(f"{server} has loaded the files")
    for fault in faults[:-1]:
        session.console.warn(f"{fault.message} ({fault.hint})" if fault.hint else fault.message)
    if faults:
        raise faults[-1]
