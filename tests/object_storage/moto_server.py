"""moto's server in a process of its own, which speaks as S3 does."""

import os
import re
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PAGE_KEYS = 20
"""Keys in a page of a listing, of which S3 itself sends 1,000."""


@contextmanager
def running_moto(folder: Path) -> Iterator[str]:
    """Serve on a port of 127.0.0.1 until the block ends; answer the address. `folder` is where moto is installed."""
    command = [str(folder / "bin" / "python"), "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    environment = {**os.environ, "MOTO_S3_DEFAULT_MAX_KEYS": str(PAGE_KEYS)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        try:
            lines = iter(process.stdout)
            url = next((found[0] for line in lines if (found := re.search(r"http://127\.0\.0\.1:\d+", line))), None)
            assert url is not None, "moto has ended"
            threading.Thread(target=lambda: list(lines), daemon=True).start()
            yield url
        finally:
            process.terminate()


def make_bucket(url: str, name: str) -> None:
    """Make an empty bucket."""
    with urllib.request.urlopen(urllib.request.Request(f"{url}/{name}", method="PUT")):
        pass
