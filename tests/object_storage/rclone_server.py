"""`rclone serve s3` in a process of its own: a storage that writes over what is there, whatever the request says."""

import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def running_rclone(tool: Path, served: Path) -> Iterator[str]:
    """Serve the folders of `served` as buckets on a port of 127.0.0.1 until the block ends; yield the address."""
    # Without the configuration and the variables of this machine's user.
    command = [str(tool / "bin" / "rclone"), "--config", "", "serve", "s3", "--addr", "127.0.0.1:0", str(served)]
    environment = {"HOME": str(served.parent)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        try:
            lines = iter(process.stdout)
            url = next((found[0] for line in lines if (found := re.search(r"http://127\.0\.0\.1:\d+", line))), None)
            assert url is not None, "rclone has ended"
            threading.Thread(target=lambda: list(lines), daemon=True).start()
            yield url
        finally:
            process.terminate()
