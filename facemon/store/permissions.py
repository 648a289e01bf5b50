"""Who a store belongs to, and the permissions of its files: those of its ledger, whatever the umask of who writes.

SQLite gives its write-ahead log the permissions and, as root, the owner of the ledger; facemon does the same for
everything else.
"""

import errno
import grp
import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from facemon.error_hints import hint_of
from facemon.errors import FacemonError
from facemon.store.layout import LEDGER_NAME

MODES = {"private": 0o600, "group": 0o660}
"""Of files, by `store.mode`. Members of a group must be able to write what they read: SQLite's readers share memory."""
GIVE_BACK = "run as root: facemon store repair --as-root, which gives files of other users back to the store's user"
_READ = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH


@dataclass(frozen=True, slots=True)
class Permissions:
    """The owner and the group of a store, by number, and the mode of its files."""

    owner: int
    group: int
    mode: int

    @classmethod
    def own(cls, mode: int = MODES["private"]) -> "Permissions":
        """Those of a store that this process makes."""
        return cls(os.geteuid(), os.getegid(), mode)

    @classmethod
    def of(cls, store: Path) -> "Permissions":
        """Those of a store's ledger; OSError when there is none, or none that can be seen."""
        found = (store / LEDGER_NAME).stat()
        return cls(found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode) & 0o666)

    @property
    def folder_mode(self) -> int:
        """The mode of folders: who may read a file may enter; what a group shares stays the group's."""
        return self.mode | (self.mode & _READ) >> 2 | (stat.S_ISGID if self.mode & stat.S_IWGRP else 0)

    @property
    def owner_name(self) -> str:
        """The owner's name, or `uid 1234` where it has none here."""
        try:
            return pwd.getpwuid(self.owner).pw_name
        except KeyError:
            return f"uid {self.owner}"

    @property
    def text(self) -> str:
        """The mode as `store.mode` names it, with the group's name where it is shared; else in octal."""
        if self.mode == MODES["group"]:
            with suppress(KeyError):
                return f"group {grp.getgrgid(self.group).gr_name}"
            return f"group {self.group}"
        return "private" if self.mode == MODES["private"] else f"{self.mode:04o}"

    def give(self, path: Path) -> bool:
        """Give a file or folder this owner and mode, as far as this process may; tell whether it was changed.

        A link is left alone, and so is another user's file that has a second name elsewhere: root must not be made to
        give away what lies outside of the store.
        """
        # Without reading it: closing a file that was opened would end the locks that SQLite has on it.
        descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            found = os.fstat(descriptor)
            is_folder = stat.S_ISDIR(found.st_mode)
            if not is_folder and (
                not stat.S_ISREG(found.st_mode) or (found.st_nlink > 1 and found.st_uid != self.owner)
            ):
                return False
            return self._give(Path(f"/proc/self/fd/{descriptor}"), found, self.folder_mode if is_folder else self.mode)
        finally:
            os.close(descriptor)

    def _give(self, path: Path, found: os.stat_result, mode: int) -> bool:
        is_root, changed = os.geteuid() == 0, False
        owner = self.owner if is_root else found.st_uid
        group = self.group if is_root or self.mode & stat.S_IWGRP else found.st_gid
        if (found.st_uid, found.st_gid) != (owner, group):
            # A member of the group may give it a file; one who is not has the folder's group already.
            with suppress(PermissionError):
                os.chown(path, owner, group)
                changed = True
        if (is_root or found.st_uid == os.geteuid()) and stat.S_IMODE(path.stat().st_mode) != mode:
            path.chmod(mode)
            changed = True
        return changed


def permissions_for_new(store: Path, mode: int) -> Permissions:
    """Those of a store to be made: of who makes it, or, when that is root, of the user whose empty folder it fills."""
    if os.geteuid() == 0 and store.is_dir():
        found = store.stat()
        return Permissions(found.st_uid, found.st_gid, mode)
    return Permissions.own(mode)


def permissions_near(path: Path) -> Permissions | None:
    """The permissions of the store that a path lies in; None where it lies in none."""
    for parent in path.parents:
        with suppress(OSError):
            return Permissions.of(parent)
    return None


def make_file(path: Path, permissions: Permissions | None = None, *, exclusive: bool = False) -> None:
    """Make an empty file with a store's permissions, those of the store it lies in unless others are given."""
    chosen = permissions or permissions_near(path) or Permissions.own()
    flags = os.O_WRONLY | os.O_CREAT | (os.O_EXCL if exclusive else os.O_TRUNC)
    os.close(os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    chosen.give(path)


def make_folder(path: Path, permissions: Permissions | None = None) -> None:
    """Make a folder and those above it, each that is new with a store's permissions."""
    if path.is_dir():
        return
    chosen = permissions or permissions_near(path) or Permissions.own()
    make_folder(path.parent, chosen)
    with suppress(FileExistsError):  # another process was faster
        path.mkdir(mode=0o700)
        chosen.give(path)


def other_user(store: Path) -> FacemonError | None:
    """Why this process cannot use a store, when it belongs to another user."""
    try:
        owner = Permissions.of(store)
    except OSError:
        with suppress(OSError):
            found = store.stat()
            owner = Permissions(found.st_uid, found.st_gid, 0o600)
            return _refusal(store, owner) if found.st_uid != os.geteuid() else None
        return None
    return None if owner.owner == os.geteuid() else _refusal(store, owner)


def unwritable(store: Path, refused: OSError) -> FacemonError:
    """Why this process cannot write to a store, where the system refused that."""
    # A file system that is read-only is so for the store's own user too.
    if refused.errno != errno.EROFS and (other := other_user(store)):
        return other
    return FacemonError(
        f"the store in {store} cannot be written: {str(refused.strerror).lower()}",
        f"reading needs write access too, for the ledger's write-ahead log: {hint_of(refused)}",
    )


def _refusal(store: Path, owner: Permissions) -> FacemonError:
    me, name = Permissions.own().owner_name, owner.owner_name
    return FacemonError(
        f"the store in {store} belongs to {name}, and {me} may not write to it; reading needs that too, for the "
        "ledger's write-ahead log",
        f"run it as that user: sudo -u {_sudo_name(owner)} facemon …; or share the store: store.mode: group, then "
        "facemon store repair",
    )


def refuse_root(store: Path, owner: Permissions) -> None:
    """FacemonError when this is root and the store is another user's: what root made would lock that user out."""
    if os.geteuid() != 0 or owner.owner == 0:
        return
    name = owner.owner_name
    raise FacemonError(
        f"the store in {store} belongs to {name}: root does not write to it",
        f"run it as that user: sudo -u {_sudo_name(owner)} facemon …; or with --as-root: all files stay {name}'s",
    )


def _sudo_name(owner: Permissions) -> str:
    name = owner.owner_name
    return f"'#{owner.owner}'" if name.startswith("uid ") else name


def apply_mode(store: Path, mode: int) -> tuple[int, int]:
    """Give all of a store one mode and, as root, its owner; return how many were changed, and how many are in the way.

    Other users' files are in the way, unless a group shares the store. The ledger is the first: what is made meanwhile
    follows it.
    """
    wanted, is_shared = replace(Permissions.of(store), mode=mode), bool(mode & stat.S_IWGRP)
    changed = foreign = 0
    for path in _entries(store):
        with suppress(FileNotFoundError):  # removed since it was listed
            changed += wanted.give(path)
            foreign += not is_shared and path.lstat().st_uid != wanted.owner
    return changed, foreign


def _entries(store: Path) -> Iterator[Path]:
    yield store / LEDGER_NAME
    yield store
    for folder, folders, files in os.walk(store):
        yield from (Path(folder, name) for name in (*folders, *files) if name != LEDGER_NAME)
