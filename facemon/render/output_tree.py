"""Rendered files on disk: what would change, what is not ours to change, and writing it whole or not at all.

A manifest remembers the hash of every file that was written, which parts they are, and the configuration that they are
from. A file that is not in it is not facemon's; a file whose content is not the remembered one was edited by hand.
Neither is touched unless forced, nor is a folder that another configuration rendered.
"""

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from difflib import unified_diff
from enum import StrEnum
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from facemon.errors import FacemonError
from facemon.files import Draft, drafted
from facemon.regular_file import read_regular
from facemon.render.stack import Part, RenderedStack, part_of

MANIFEST = "monitoring/.facemon-manifest.json"
_SCHEMA = "facemon.manifest/1"
_ORIGIN = "configuration"
_PARTS = "parts"
_ALWAYS_FILES = frozenset(Part) - {Part.COMPOSE, Part.SCHEDULES}
"""The parts that have files with every configuration."""
_LARGEST_FILE = 64 << 20
_FOLDER_MODE, _FILE_MODE = 0o755, 0o644
"""Containers with other users read what is rendered, whatever the umask is."""


class ChangeKind(StrEnum):
    """How a file on disk stands to its rendering."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    FOREIGN = "foreign"
    """A file that facemon did not write is in the way of one that it renders."""
    EDITED = "edited"
    """Ours, but changed by hand since."""
    STALE = "stale"
    """Ours, and no longer rendered."""
    STALE_EDITED = "stale, edited"


_KEPT = (ChangeKind.FOREIGN, ChangeKind.EDITED)
"""What only `force` overwrites."""


@dataclass(frozen=True, slots=True)
class Change:
    """One path below the output folder: the bytes that are there, and the text that was rendered for it."""

    path: str
    kind: ChangeKind
    before: bytes | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Written:
    """What writing did, as paths."""

    written: tuple[str, ...] = ()
    pruned: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    """Not ours or edited by hand, and so left alone although it differs or is no longer rendered."""


def plan(stack: RenderedStack, out_dir: Path) -> tuple[Change, ...]:
    """Compare the rendering with what is on disk, sorted by path; nothing is written.

    Raises FacemonError where a file cannot be read, lies behind a link that leaves the tree, or is a folder.
    """
    if out_dir.exists() and not out_dir.is_dir():
        raise FacemonError(f"{out_dir}: is a file, and the stack needs a folder", hint="name another with --out")
    manifest = _manifest(out_dir)
    changes = [_change(path, text, out_dir, manifest) for path, text in stack.files.items()]
    for path, digest in manifest.items():
        if path not in stack.files and part_of(path) in stack.parts:
            before = _read(out_dir, path)
            if before is not None:
                kind = ChangeKind.STALE if _digest(before) == digest else ChangeKind.STALE_EDITED
                changes.append(Change(path, kind, before, None))
    return tuple(sorted(changes, key=lambda change: change.path))


def rendered_parts(out_dir: Path) -> frozenset[Part]:
    """Return the parts that were rendered into a folder, all or those of `--only`; none where none was.

    Raises FacemonError as `plan`.
    """
    manifest = _read_manifest(out_dir)
    found = {part_of(path) for path in manifest["files"]}
    if isinstance(named := manifest.get(_PARTS), list):
        return frozenset(part for part in Part if part in named or part in found)
    # Before facemon wrote the parts down.
    return frozenset(Part) if found >= _ALWAYS_FILES else frozenset(found)


def differs(changes: Iterable[Change]) -> bool:
    """Whether the disk is anything but what was rendered: what `--check` looks for."""
    return any(change.kind is not ChangeKind.UNCHANGED for change in changes)


def diff(changes: Iterable[Change]) -> str:
    """The differences as a unified diff, from what is on disk to what was rendered."""
    return "".join(_diff(change) for change in changes if change.kind is not ChangeKind.UNCHANGED)


def write(
    changes: Sequence[Change],
    out_dir: Path,
    *,
    source: Path | None = None,
    parts: Collection[Part] = (),
    force: bool = False,
    prune: bool = False,
) -> Written:
    """Carry out a plan: all files are written beside their places first, so that a failure leaves everything as it was.

    With nothing to do, nothing is written. `source` is the configuration that the files are from, and `parts` is what
    was rendered of it. Raises FacemonError where the system refuses, or where the files there are from another one.
    """
    origin = _origin(source, out_dir)
    if not force:
        _require_same_origin(origin, out_dir)
    written = {change.path: change for change in changes if _is_written(change, force)}
    pruned = [change for change in changes if prune and _is_pruned(change, force)]
    kept = [change.path for change in changes if not force and change.kind in (*_KEPT, ChangeKind.STALE_EDITED)]
    old, old_origin, old_parts = _manifest(out_dir), _read_manifest(out_dir).get(_ORIGIN), rendered_parts(out_dir)
    ours = [change for change in changes if change.path in written or change.kind is ChangeKind.UNCHANGED]
    new = {path: digest for path, digest in old.items() if path not in {change.path for change in pruned}}
    new.update({change.path: _digest(_bytes_of(change)) for change in ours})
    contents = {change.path: _bytes_of(change) for change in written.values()}
    all_parts = old_parts.union(parts)
    if new != old or all_parts != old_parts or origin not in (None, old_origin):
        # The last to be replaced: until then a file that is new already is as the next run would write it.
        named = {_ORIGIN: origin or old_origin} if origin or old_origin else {}
        manifest = {"schema": _SCHEMA, **named, _PARTS: sorted(all_parts), "files": dict(sorted(new.items()))}
        contents[MANIFEST] = (json.dumps(manifest, indent=2) + "\n").encode()
    with _staged(out_dir, contents) as staged:
        for change in pruned:
            _remove(_inside(out_dir, change.path))
        for draft in staged:
            _put(draft)
    return Written(tuple(written), tuple(each.path for each in pruned), tuple(kept))


def _is_written(change: Change, force: bool) -> bool:
    return change.kind in (ChangeKind.CREATE, ChangeKind.UPDATE) or (force and change.kind in _KEPT)


def _is_pruned(change: Change, force: bool) -> bool:
    return change.kind is ChangeKind.STALE or (force and change.kind is ChangeKind.STALE_EDITED)


def _change(path: str, text: str, out_dir: Path, manifest: Mapping[str, str]) -> Change:
    before = _read(out_dir, path)
    if before is None:
        kind = ChangeKind.CREATE
    elif before == text.encode():
        kind = ChangeKind.UNCHANGED
    elif path not in manifest:
        kind = ChangeKind.FOREIGN
    else:
        kind = ChangeKind.UPDATE if _digest(before) == manifest[path] else ChangeKind.EDITED
    return Change(path, kind, before, text)


def _diff(change: Change) -> str:
    before = (change.before or b"").decode("utf-8", "replace")
    lines = unified_diff(
        before.splitlines(keepends=True),
        (change.after or "").splitlines(keepends=True),
        "/dev/null" if change.before is None else f"a/{change.path}",
        "/dev/null" if change.after is None else f"b/{change.path}",
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _origin(source: Path | None, out_dir: Path) -> str | None:
    """The configuration as it is found from the output folder: both may move together."""
    return None if source is None else os.path.relpath(source.absolute(), out_dir.absolute())


def _require_same_origin(origin: str | None, out_dir: Path) -> None:
    before = _read_manifest(out_dir).get(_ORIGIN)
    if origin is not None and isinstance(before, str) and before != origin:
        raise FacemonError(
            f"{out_dir} holds what was rendered from {os.path.normpath(out_dir / before)}, another configuration",
            "name another folder with --out; --force lets this configuration take over the folder",
        )


def _manifest(out_dir: Path) -> dict[str, str]:
    files: dict[str, str] = _read_manifest(out_dir)["files"]
    return files


def _read_manifest(out_dir: Path) -> dict[str, Any]:
    content = _read(out_dir, MANIFEST)
    if content is None:
        return {"files": {}}
    manifest = _manifest_in(content)
    if manifest is None:
        raise FacemonError(
            f"{out_dir / MANIFEST}: is not a manifest that facemon wrote",
            hint="remove it; the files that are there then count as not written by facemon",
        )
    return manifest


def _manifest_in(content: bytes) -> dict[str, Any] | None:
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError):
        return None
    files = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(files, dict) or manifest.get("schema") != _SCHEMA:
        return None
    # A manifest is a file like any other: what it says must not lead out of the tree.
    valid = all(_is_rendered_path(path) and isinstance(digest, str) for path, digest in files.items())
    return manifest if valid else None


def _is_rendered_path(path: str) -> bool:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts:
        return False
    try:
        part_of(path)
    except (ValueError, IndexError):
        return False
    return True


def _inside(out_dir: Path, path: str) -> Path:
    """The file's real place; FacemonError if a link leads it out of the output folder."""
    try:
        root = out_dir.resolve()
        target = (out_dir / path).resolve()
    except (OSError, RuntimeError) as error:
        raise FacemonError(f"{out_dir / path}: cannot be followed: {error}") from error
    if not target.is_relative_to(root):
        raise FacemonError(f"{out_dir / path}: a link leads out of {out_dir}", hint="remove the link")
    return target


def _read(out_dir: Path, path: str) -> bytes | None:
    target = _inside(out_dir, path)
    try:
        return read_regular(target, _LARGEST_FILE)
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise FacemonError(f"{out_dir / path}: cannot be read: {reason}", hint="move what is in the way") from error


@contextmanager
def _staged(out_dir: Path, contents: Mapping[str, bytes]) -> Iterator[list[Draft]]:
    """Each file, beside its place; what was not put there is removed again."""
    with ExitStack() as stack:
        staged = []
        for path, content in contents.items():
            target = _inside(out_dir, path)
            try:
                make_folder(target.parent)
                draft = stack.enter_context(drafted(target))
                draft.stream.write(content)
                draft.stream.flush()
                # Some file systems refuse bytes only now; so far nothing has been replaced.
                os.fsync(draft.stream.fileno())
            except OSError as error:
                raise _refused(target, error) from error
            staged.append(draft)
        yield staged


def make_folder(folder: Path, mode: int = _FOLDER_MODE) -> None:
    """Make a folder and those above it that are missing; of those that are there the mode stays."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        each.chmod(mode)


def _put(draft: Draft) -> None:
    try:
        draft.put(_FILE_MODE)
    except OSError as error:
        raise _refused(draft.target, error) from error


def _remove(target: Path) -> None:
    try:
        target.unlink(missing_ok=True)
    except OSError as error:
        raise _refused(target, error) from error


def _refused(target: Path, error: OSError) -> FacemonError:
    reason = (error.strerror or str(error)).lower()
    return FacemonError(f"{target}: cannot be written: {reason}")


def _bytes_of(change: Change) -> bytes:
    return (change.after or "").encode()


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()
