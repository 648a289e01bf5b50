"""What Ray's errors say, in the user's words: why a worker is lost, and why a cluster cannot be reached."""

from facemon.errors import FacemonError, UsageError
from facemon.schedulers.ray_settings import HINT
from facemon.schedulers.scheduler import Placement
from facemon.system_errors import explained

_SHOWN = 300
"""Characters."""


def reason_of(error: Exception) -> str:
    """Return why a worker is lost: what its own code raised, or the first line that Ray has of its end."""
    text = str(error)
    if "No module named 'facemon" in text:
        return f"facemon is not installed there, for the Python of Ray; {HINT}"
    cause = getattr(error, "cause", None)
    if isinstance(cause, Exception):
        known = explained(cause)
        text = f"{type(cause).__name__}: {cause}" if known is None else known.message
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:_SHOWN]


def unreached(placement: Placement, error: BaseException) -> FacemonError:
    """Return the error of a cluster that cannot be started or reached; UsageError where another try ends so, too."""
    where = "a cluster on this machine" if placement.address is None else placement.address
    # What the cluster replied is in the error that Ray's own is raised from.
    text = " ".join(f"{error} {error.__cause__ or ''}".split())
    if "ersion mismatch" in text:
        return UsageError(
            f"{where}: {text[:_SHOWN]}", "install the same versions of Ray and Python on each node and on this machine"
        )
    if "uthenticat" in text or "InvalidAuthToken" in text:
        return UsageError(
            f"{where}: the cluster does not accept this machine's token",
            "give each node and this machine the same token: RAY_AUTH_TOKEN_PATH, or ~/.ray/auth_token",
        )
    if isinstance(error, ConnectionError):
        return FacemonError(f"{where}: no cluster of Ray is there", "start one with ray start --head, or name another")
    if "timed out during startup" in text:
        return FacemonError(
            f"{where}: Ray did not start within its own limit of 30 seconds",
            "this machine is busy, or short of memory: run the same command again, or name a cluster with --address",
        )
    # The logs of a cluster that ends with the run are gone.
    hint = "free memory or disk, or name a cluster with --address" if placement.address is None else "look: ray status"
    return FacemonError(f"{where}: Ray cannot be started or reached: {text[:_SHOWN]}", hint)
