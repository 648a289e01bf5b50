"""`facemon render-config`: the whole monitoring stack from one YAML file."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from facemon.cli.command import command
from facemon.cli.session import Session
from facemon.errors import ExitCode, UsageError

app = typer.Typer()
_ReloadOption = Annotated[
    bool, typer.Option("--reload", help="Reload the running servers, and print whether they accept the files.")
]


class _Purpose(StrEnum):
    """What `--for` chooses between, as `stack.for` does."""

    FULL = "full"
    MONITORING = "monitoring"
    EXISTING = "existing"
    TEXTFILE = "textfile"
    PUSHGATEWAY = "pushgateway"


_ForOption = Annotated[
    _Purpose | None,
    typer.Option(
        "--for",
        # Without it the variable would end in an underscore, as the parameter does.
        envvar="FACEMON_RENDER_CONFIG_FOR",
        help="What the stack contains, instead of stack.for.",
    ),
]


@command(app, "render-config")
def render_config(
    session: Session,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where to write.")] = Path(),
    only: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            help="Only these parts, separated by commas: prometheus, alertmanager, grafana, runbooks, compose, "
            "schedules.",
        ),
    ] = None,
    for_: _ForOption = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 3 if the files on disk differ.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Write nothing; print what would change.")] = False,
    stdout: Annotated[str | None, typer.Option(metavar="NAME", help="Print one file instead of writing.")] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check the files with lint, promtool and amtool first.")
    ] = False,
    reload: _ReloadOption = False,
    prune: Annotated[bool, typer.Option("--prune", help="Remove files that are no longer rendered.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite files that were edited by hand, or that facemon did not write.")
    ] = False,
) -> ExitCode:
    """Write the configuration of Prometheus, Alertmanager and Grafana, and tests for it."""
    from facemon.application.rendered_stack import RenderRequest, render_stack, write_stack

    _require_one_task(
        stdout,
        writing=[option for option, given in (("--prune", prune), ("--force", force), ("--reload", reload)) if given],
        looking=[option for option, given in (("--check", check), ("--diff", diff)) if given],
    )
    parts = [] if only is None else [name.strip() for name in only.split(",")]
    request = RenderRequest(out, parts, for_.value if for_ else None, verify, reload)
    rendering = render_stack(session.operation, request)
    if stdout is not None:
        session.console.file(rendering.stack.text_of(stdout).rstrip("\n"))
        return ExitCode.OK
    if check or diff:
        found = rendering.comparison()
        if diff and (text := found.diff()):
            session.console.file(text.rstrip("\n"))
        if not diff:
            session.console.show(found.changes)
        return ExitCode.FOUND if found.differs else ExitCode.OK
    write_stack(session.operation, rendering, prune=prune, force=force)
    return ExitCode.OK


def _require_one_task(stdout: str | None, writing: Sequence[str], looking: Sequence[str]) -> None:
    if stdout is not None and (writing or looking):
        excess = " and ".join((*looking, *writing))
        raise UsageError("--stdout prints one file and writes none", f"leave out {excess}, or --stdout")
    if looking and writing:
        raise UsageError(f"{looking[0]} writes nothing, so that {writing[0]} would do nothing", "leave out one of them")
