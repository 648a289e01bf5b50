"""Whose configuration is loaded: that of this user or of root, which no other user may change.

A configuration names commands and modules that facemon runs (drift.on_drift, exporter.collectors), so one that
another user left in a folder would act with the rights of the user who works there. The model is git's safe.directory.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from facemon.errors import ConfigError, UsageError

_TRUST = "FACEMON_TRUST"
"""The variable that names exceptions: absolute paths of files or of folders around them, or `*` for all."""


def check_trusted(path: Path, file: BinaryIO) -> None:
    """Refuse an opened configuration that another user owns or may change; `path` is how it was found.

    ConfigError says what is wrong with its owner or its mode. Raises UsageError for a wrong `FACEMON_TRUST`.
    """
    users = trusted_users(os.geteuid(), os.environ)
    fault = _fault_of(path, os.fstat(file.fileno()), users)
    if fault is not None and not _is_exempt(path, os.environ.get(_TRUST, "")):
        message, remedy = fault
        raise ConfigError(
            f"{path}: {message}, so it could run commands as uid {os.geteuid()} (drift.on_drift)",
            f"{remedy}; to trust it as it is: export {_TRUST}={path.absolute()}",
        )


def trusted_users(user: int, environment: Mapping[str, str]) -> frozenset[int]:
    """The ids of the users whose configuration the user may load; for root also the one who called sudo."""
    caller = environment.get("SUDO_UID", "")
    is_sudo = user == 0 and caller.isascii() and caller.isdigit()
    return frozenset({0, user} | ({int(caller)} if is_sudo else set()))


def may_hold_modules(folder: Path) -> bool:
    """Whether modules in a configuration's folder are those of the user or of root, or the folder is trusted."""
    is_own = folder.stat().st_uid in trusted_users(os.geteuid(), os.environ)
    return (is_own and not _is_changed_by_all(folder)) or _is_exempt(folder, os.environ.get(_TRUST, ""))


def _is_changed_by_all(folder: Path) -> bool:
    """Whether every user may put files into a folder; not where it is mounted read-only, as a ConfigMap is."""
    mode = folder.stat().st_mode
    return bool(mode & stat.S_IWOTH) and not os.statvfs(folder).f_flag & os.ST_RDONLY


def _fault_of(path: Path, status: os.stat_result, users: frozenset[int]) -> tuple[str, str] | None:
    """What is wrong with a configuration's owner or mode, and the command that mends it."""
    link = path.lstat()
    for owner in (status.st_uid, link.st_uid):
        if owner not in users:
            what = "belongs" if owner == status.st_uid else "is a link that belongs"
            instead = f"run as that user: sudo -u '#{owner}' facemon …; or " if os.geteuid() == 0 else ""
            return f"{what} to another user (uid {owner})", f"{instead}check it, then chown {os.geteuid()} {path}"
    if status.st_mode & stat.S_IWOTH:
        return f"every user may change it (mode {stat.S_IMODE(status.st_mode):04o})", f"chmod o-w {path}"
    # In a folder with the sticky bit, such as /tmp, a file can be replaced by its owner alone.
    for folder in {path.absolute().parent, path.resolve().parent}:
        if _is_changed_by_all(folder) and not folder.stat().st_mode & stat.S_ISVTX:
            return f"every user may replace it (the folder {folder} is writable by all)", f"chmod o-w {folder}"
    return None


def _is_exempt(path: Path, trusted: str) -> bool:
    places = {path.absolute(), path.resolve()}
    for entry in filter(None, trusted.split(":")):
        if entry == "*":
            return True
        if not Path(entry).is_absolute():
            raise UsageError(f"{_TRUST}: {entry!r} is not an absolute path", "separate paths by colons; * trusts all")
        if any(place.is_relative_to(entry) for place in places):
            return True
    return False
