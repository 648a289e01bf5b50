"""Switch off what dependencies would send to their makers, before any of them is imported.

`facemon` imports this module first, so that it holds for every command, worker process and library user. A program
that imports onnxruntime before facemon has to set the variable itself.
"""

import os

_SWITCHES = {
    "ORT_DISABLE_TELEMETRY": "1",
    # Evidently reads this one.
    "DO_NOT_TRACK": "1",
    # Ray's, of a cluster that facemon starts.
    "RAY_USAGE_STATS_ENABLED": "0",
}

os.environ.update(_SWITCHES)
