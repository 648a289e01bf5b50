"""The rendered stack on disk: it is what the configuration renders now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.doctor.area import Area
from facemon.doctor.examination import Examination
from facemon.doctor.finding import Examined, Finding, Severity
from facemon.domain.counted import counted

if TYPE_CHECKING:
    from facemon.render.output_tree import Change

_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class RenderedFacts:
    """How the files below a folder stand to their rendering; none where nothing was rendered there."""

    out: Path
    changes: "Sequence[Change] | None" = None
    left_out: Sequence[str] = ()
    """The parts that `--only` left out."""


def gather(examination: Examination) -> RenderedFacts:
    """Render the stack in memory and compare it; nothing is written."""
    from facemon.render.stack import Part

    changes, parts = examination.changes, examination.rendered_parts
    return RenderedFacts(examination.servers.out, changes, [part for part in Part if part not in parts])


def judge(facts: RenderedFacts) -> Examined:
    """Name the files that differ."""
    if facts.changes is None:
        how = "nothing was rendered there; name the folder by --out, or run facemon render-config"
        return Examined(not_looked_at=(f"files of the stack below {facts.out}: {how}",))
    looked_at = f"{counted(len(facts.changes), 'file')} below {facts.out} compared with what the configuration renders"
    parts = f"parts of the stack that render-config --only left out: {', '.join(facts.left_out)}"
    return Examined(looked_at, tuple(_findings(facts.changes)), (parts,) if facts.left_out else ())


def _findings(changes: "Sequence[Change]") -> Iterator[Finding]:
    from facemon.render.output_tree import ChangeKind

    by_hand = (ChangeKind.EDITED, ChangeKind.FOREIGN, ChangeKind.STALE_EDITED)
    edited = [each.path for each in changes if each.kind in by_hand]
    others = [each.path for each in changes if each.kind in (ChangeKind.CREATE, ChangeKind.UPDATE)]
    stale = [each.path for each in changes if each.kind is ChangeKind.STALE]
    if edited:
        what = f"{counted(len(edited), 'rendered file')} edited by hand, or not facemon's"
        yield Finding(what, _named(edited), "facemon render-config --diff", Severity.WARNING)
    if others:
        what = f"{counted(len(others), 'rendered file')} not as the configuration renders now"
        yield Finding(what, _named(others), "facemon render-config --reload", Severity.WARNING, "")
    if stale:
        what = f"{counted(len(stale), 'rendered file')} that the configuration renders no longer"
        yield Finding(what, _named(stale), "facemon render-config --prune", Severity.WARNING)


def _named(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
    return f"{', '.join(paths[:_MOST_NAMED])}{more}"


AREA = Area("rendered files", gather, judge)
