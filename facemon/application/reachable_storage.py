"""Object storage that a run is to read, asked before anything is logged: one error instead of a row for each image."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

from facemon.errors import FacemonError, UsageError

_ARCHIVES_AT_ONCE = 16

if TYPE_CHECKING:
    from facemon.config.drift import TablesConfig
    from facemon.object_storage.first_answer import Unanswered
    from facemon.object_storage.location import Location
    from facemon.object_storage.storage_error import StorageError, Trouble


def refuse_unreachable(paths: Sequence[str], tables: "TablesConfig", *, has_begun: bool) -> None:
    """Raise the error of the first address that cannot be read: UsageError, or FacemonError where nothing answers.

    Of a manifest the first image stands for the others: what is wrong with it alone is its row's error. A run that
    `has_begun` may have images that are gone since.
    """
    from facemon.object_storage.object_store import HINT, is_installed
    from facemon.predict.inputs.registry import input_kind

    given: list[Location] = []
    named: list[Location] = []
    for path in paths:
        kind = input_kind(path)
        (named if kind.names_images else given).extend(kind.locations(path, tables))
    if not named and not given:
        return
    if not is_installed():
        raise UsageError(f"{(given + named)[0].url}: reading it needs the package obstore", HINT)
    for fault in _asked((given, named, has_begun)):
        if fault is not None:
            raise _error(fault.location.url, fault.trouble, fault.what, fault.hint)


_Question = tuple[list["Location"], list["Location"], bool]
"""What was named on the command line and in manifests, and whether the run has begun."""


def _asked(question: _Question) -> "Sequence[Unanswered | None]":
    """Ask in another process, so that this one has no threads yet when it forks its workers.

    It is killed at the end: a signal that ends this process would wait for all its requests.
    """
    from facemon.forked_process import ForkedProcess, ProcessEnded
    from facemon.object_storage.object_store import is_in_use

    if is_in_use():
        return _answers(question)
    process = ForkedProcess(lambda: nullcontext(_answers))
    try:
        faults: Sequence[Unanswered | None] = process.ask(question)
    except ProcessEnded as error:
        raise FacemonError(
            "the process that checks object storage was killed", "raise the memory limit, and run again"
        ) from error
    finally:
        process.kill()
    return faults


def _answers(question: _Question) -> "Sequence[Unanswered | None]":
    from facemon.object_storage.first_answer import first_unanswered
    from facemon.object_storage.storage_error import Trouble

    given, named, has_begun = question
    of_images = {Trouble.MISSING, Trouble.DENIED, Trouble.CUT_OFF, Trouble.OTHER}
    faults = (
        first_unanswered(given, {Trouble.MISSING} if has_begun else set()),
        first_unanswered(named, of_images),
    )
    if faults == (None, None) and not has_begun:
        _refuse_other_archives(given)
    return faults


def _refuse_other_archives(locations: "Sequence[Location]") -> None:
    """FacemonError for an object that is not such a tar archive as its name says."""
    from concurrent.futures import ThreadPoolExecutor

    from facemon.predict.archive_images import RemoteArchive, remote_archive

    archives = [archive for each in locations if (archive := remote_archive(each)) is not None]
    with ThreadPoolExecutor(_ARCHIVES_AT_ONCE) as pool:
        for _ in pool.map(RemoteArchive.require, archives):
            pass


def refused_storage(url: str, error: "StorageError") -> FacemonError:
    """Return the error of an address: a UsageError, or a FacemonError where the storage fails."""
    return _error(url, error.trouble, error.what, error.hint)


def _error(url: str, trouble: "Trouble", what: str, hint: str) -> FacemonError:
    from facemon.object_storage.storage_error import Trouble

    kind = FacemonError if trouble in (Trouble.UNREACHABLE, Trouble.CUT_OFF, Trouble.OTHER) else UsageError
    return kind(f"{url}: {what}", hint)
