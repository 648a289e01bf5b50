"""Run as a program in a folder: predicts the images of the folder `images` from an origin of its own, as objects."""

import os
import subprocess
import sys
from pathlib import Path

from tests.object_storage.origin import running_origin
from tests.started import COMMAND

if __name__ == "__main__":
    with running_origin() as origin:
        origin.buckets["photos"] = {path.name: path.read_bytes() for path in Path("images").iterdir()}
        options = ["-q", "--no-store", "--max-failures", "99"]
        command = [str(COMMAND), "predict", "s3://photos", *options]
        sys.exit(subprocess.run(command, env=os.environ | origin.environment(), check=False).returncode)
