"""The pages of drift checks in a store: what they are called, that each appears whole, and how long they are kept."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from facemon.domain.times import EPOCH
from facemon.errors import FacemonError, UsageError
from facemon.files import drafted
from facemon.store.own_files import REPORTS, refuse_own_file
from facemon.store.permissions import GIVE_BACK, make_folder, permissions_near
from facemon.store.replaced_files import refuse_other_file

FOLDER = REPORTS
LATEST = "latest.html"
"""The page of the newest check of record."""
_TIME = "%Y%m%dT%H%M%SZ"
_HEAD, _TITLE = 4096, re.compile(rb"<title>(facemon report: |Drift check: )")
"""In how many bytes a page has its title, and how that begins."""
_DRAFT = re.compile(r"\.draft-.*|\..*\.part")
_DATED = re.compile(r"(?:drift|evidently)-(\d{8}T\d{6}Z)\.(?:html|json)")


def dated_name(kind: str, at: datetime, suffix: str) -> str:
    """The name of a report of a kind (drift or evidently) that was made at a time."""
    return f"{kind}-{at.astimezone(UTC):{_TIME}}.{suffix}"


def write_report(path: Path, text: str) -> Path:
    """Write a report under its name once it is whole; FacemonError where it cannot be.

    Neither a file of a store nor a device or a named pipe is replaced.
    """
    refuse_own_file(path)
    _refuse_device(path)
    permissions = permissions_near(path)
    try:
        if permissions is not None:
            make_folder(path.parent, permissions)
        path.parent.mkdir(parents=True, exist_ok=True)
        with drafted(path) as draft:
            if permissions is not None:
                permissions.give(draft.path)
            draft.stream.write(text.encode())
            # A file of the user's own is for other people to open.
            draft.put(0o644 if permissions is None else None)
    except OSError as error:
        hint = GIVE_BACK if permissions and isinstance(error, PermissionError) else None
        raise FacemonError(f"{path} cannot be written: {error.strerror}", hint) from error
    return path


def refuse_place(path: Path) -> None:
    """UsageError where a user's page cannot be: over a file that is not a page, in a store, at a folder or a device."""
    refuse_other_file(path, _holds_page, "page")
    _refuse_device(path)
    if path.is_dir():
        raise UsageError(f"{path} is a folder", f"name a file in it, such as {path / 'report.html'}")


def _refuse_device(path: Path) -> None:
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise UsageError(f"{path} is not a regular file: a report cannot take its place", "name another file")


def _holds_page(path: Path) -> bool:
    """Whether a file is a page of `facemon report` or of a drift check; OSError where it cannot be read."""
    with path.open("rb") as file:
        return _TITLE.search(file.read(_HEAD)) is not None


def keep_page_of_record(store: Path, at: datetime, text: str | None, retention_days: int | None) -> Path | None:
    """Write the page of a check of record, where it has one, and remove the reports that are past the retention.

    Without `retention_days` none is removed. FacemonError where a page cannot be written or removed.
    """
    folder = store / FOLDER
    page = None if text is None else write_page_of_record(folder, at, text)
    if retention_days is not None:
        prune_reports(folder, at - timedelta(days=min(retention_days, (at - EPOCH).days)))
    return page


def write_page_of_record(folder: Path, at: datetime, text: str) -> Path:
    """Write the page of a check of record under a name that says when, and as the latest."""
    page = write_report(folder / dated_name("drift", at, "html"), text)
    write_report(folder / LATEST, text)
    return page


def prune_reports(folder: Path, before: datetime) -> int:
    """Remove the dated reports that were made before a time; answer how many. The latest page stays.

    FacemonError where one cannot be removed.
    """
    removed = 0
    for path in folder.iterdir() if folder.is_dir() else ():
        if _DRAFT.fullmatch(path.name) and _is_older(path, before):
            path.unlink(missing_ok=True)  # of a process that was killed
        if (dated := _DATED.fullmatch(path.name)) and _time_of(dated[1]) < before:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise FacemonError(
                    f"{path} cannot be removed: {error.strerror}", "check the folder's rights"
                ) from error
            removed += 1
    return removed


def measure_reports(folder: Path) -> tuple[int, int]:
    """How many files the reports are, and their bytes."""
    sizes = []
    for path in folder.iterdir() if folder.is_dir() else ():
        try:
            sizes.append(path.stat().st_size)
        except FileNotFoundError:
            continue  # removed since it was listed
    return len(sizes), sum(sizes)


def _is_older(path: Path, before: datetime) -> bool:
    try:
        return path.stat().st_mtime < before.timestamp()
    except FileNotFoundError:
        return False


def _time_of(text: str) -> datetime:
    try:
        return datetime.strptime(text, _TIME).replace(tzinfo=UTC)
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)  # no time of ours: it stays
