"""Decides where the newer servers of the tests come from: a newer suite of Debian, unpacked below .tools/newer_servers.

The mirror is the one of the machine's own apt sources; only the suite's name is another. docker-compose comes with
them, since it reads and merges compose files without an engine.
"""

import sys
from pathlib import Path

from fetch_servers import (
    PACKAGES,
    PROGRAMS,
    TOOLS,
    Deadline,
    FetchError,
    configured_apt,
    fetch_once,
    is_complete,
    require_apt,
    run,
    unpack_packages,
)

SUITE = "forky"
"""With Prometheus 3.5, Alertmanager 0.33 and docker-compose 2.40, which run on Debian 12 too."""
COMPOSE = "usr/libexec/docker/cli-plugins/docker-compose"
NEWER_SERVERS = TOOLS / "newer_servers"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
OS_RELEASE = Path("/etc/os-release")

# The list is the only one that is read: the machine's own sources would offer their older packages beside it.
ONLY_THIS_SUITE = """\
Dir::Etc::sourcelist "{apt}/sources.list";
Dir::Etc::sourceparts "{apt}/no-sources";
"""


def _codename() -> str:
    """Return the name of the machine's release of Debian; raises FetchError on another system."""
    lines = OS_RELEASE.read_text(encoding="utf-8").splitlines() if OS_RELEASE.exists() else []
    values = dict(line.replace('"', "").split("=", 1) for line in lines if "=" in line)
    if values.get("ID") != "debian":
        raise FetchError(f"this machine is no Debian, whose suite {SUITE} has them")
    return values.get("VERSION_CODENAME", SUITE)


def _mirrors(deadline: Deadline) -> list[str]:
    """Return where the machine's apt finds its release of Debian, whatever the form of its sources."""
    wanted = ["--no-release-info", "--format=$(RELEASE) $(REPO_URI)", "Created-By: Packages", "Component: main"]
    answer = run(["apt-get", "indextargets", *wanted], deadline, TOOLS)
    sources = [line.split(" ", 1) for line in answer.stdout.splitlines()]
    codename = _codename()
    return sorted({mirror for release, mirror in sources if release == codename})


def _fetch_newer_servers(deadline: Deadline) -> None:
    require_apt()
    mirrors = _mirrors(deadline)
    if not mirrors:
        raise FetchError(f"this machine's apt sources do not name {_codename()}, the release that it runs")
    apt = TOOLS / "newer_apt"
    configuration = configured_apt(apt, ONLY_THIS_SUITE.format(apt=apt))
    entries = [f"deb [signed-by={KEYRING}] {mirror} {SUITE} main\n" for mirror in mirrors]
    (apt / "sources.list").write_text("".join(entries), encoding="utf-8")
    unpack_packages(NEWER_SERVERS, (*PACKAGES, "docker-compose"), (*PROGRAMS, COMPOSE), configuration, deadline)


if __name__ == "__main__":
    sys.exit(
        fetch_once("newer_servers", lambda: is_complete(NEWER_SERVERS, (*PROGRAMS, COMPOSE)), _fetch_newer_servers)
    )
