"""How metrics leave: as text, in a file for node-exporter, or pushed to a Pushgateway."""

import os
import tempfile
from http.client import HTTPException
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest

from facemon.errors import FacemonError

PUSH_JOB = "facemon"
_PUSH_SECONDS = 10


def exposition(registry: CollectorRegistry) -> str:
    """All metrics in the Prometheus text format, without timestamps."""
    return generate_latest(registry).decode()


def write_textfile(path: Path, text: str) -> None:
    """Replace a textfile in one step, readable for node-exporter; FacemonError leaves the old one as it was."""
    if path.suffix != ".prom":
        raise FacemonError(
            f"{path} would not be read: node-exporter takes only *.prom", f"name it {path.stem or 'facemon'}.prom"
        )
    try:
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).chmod(0o644)
            Path(draft).rename(path)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise FacemonError(f"{path} cannot be written: {error.strerror}") from error


def push(registry: CollectorRegistry, url: str) -> None:
    """Replace this job's metrics on a Pushgateway; FacemonError when it does not answer or refuses."""
    from prometheus_client import push_to_gateway

    try:
        push_to_gateway(url, job=PUSH_JOB, registry=registry, timeout=_PUSH_SECONDS)
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise FacemonError(f"the Pushgateway at {url} did not take the metrics: {reason}") from error
