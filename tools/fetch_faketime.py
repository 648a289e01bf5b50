"""Decides where the wrong clocks of the tests come from: Debian's libfaketime, unpacked below .tools/faketime."""

import shutil
import sys

from fetch_servers import (
    TOOLS,
    Deadline,
    FetchError,
    configured_apt,
    download_packages,
    emptied,
    fetch_once,
    put_in_place,
    read_package_lists,
    require_apt,
    unpack_archives,
)

FAKETIME = TOOLS / "faketime"
LIBRARY = "usr/lib/*/faketime/libfaketime.so.1"


def _fetch_faketime(deadline: Deadline) -> None:
    require_apt()
    configuration = configured_apt(TOOLS / "faketime_apt")
    update_error = read_package_lists(configuration, deadline)
    folder = emptied(FAKETIME.with_name("faketime.part"))
    unpack_archives(download_packages(("libfaketime",), configuration, deadline, update_error), folder, deadline)
    if not any(folder.glob(LIBRARY)):
        raise FetchError(f"the package libfaketime lacks {LIBRARY}")
    put_in_place(folder, FAKETIME)
    shutil.rmtree(configuration.parent)


if __name__ == "__main__":
    sys.exit(fetch_once("faketime", lambda: any(FAKETIME.glob(LIBRARY)), _fetch_faketime))
