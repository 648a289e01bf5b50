"""What shellcheck says of a script of ours."""

import subprocess
from pathlib import Path


def faults(script: str, linters: Path) -> str:
    """Its complaints; variables that the script does not set come from its surroundings."""
    command = [str(linters / "python/bin/shellcheck"), "--shell=bash", "--exclude=SC2154", "-"]
    return subprocess.run(command, input=script, capture_output=True, text=True, check=False).stdout
