"""What became of a request, as its metrics tell it."""

from enum import StrEnum

UNMATCHED = "unmatched"
"""The endpoint of requests to a path that exists nowhere: a path must not become a series."""
CLIENT_GONE = 499
"""What nginx made the custom for a client that left before it was answered."""
_TOO_LATE = 408
"""The code of a request that its client did not finish sending in time."""
EXPECTED_CODES = (200, 400, 401, 403, 408, 413, 415, 422, 500, 503)
"""The codes of POST /predict that are shown as 0 before the first: a ratio whose numerator has no series is silent."""
REFUSALS = {
    400: "bad_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed",
    408: "timeout", 413: "too_large", 415: "unsupported_type", 422: "unreadable", 431: "long_head",
    499: "client_gone", 503: "busy",
}  # fmt: skip
"""The codes of requests that are turned away, and why."""
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


def status_of(code: int) -> str:
    """The `status` label of an HTTP code: success below 400, rejected for 4xx, error for 5xx."""
    if code < 400:
        return "success"
    return "rejected" if code < 500 else "error"


def did_work(endpoint: str, code: int) -> bool:
    """Whether an application had something to do for a request, so that its seconds say how fast that is.

    It has nothing to do for a request that never arrived as a whole, or is rejected because its path exists nowhere.
    """
    return code != _TOO_LATE and (endpoint != UNMATCHED or status_of(code) != "rejected")


def known_method(method: str) -> str:
    """The `method` label: one that is not of the common ones is `other`, so that clients cannot make up series."""
    return method if method in _METHODS else "other"


class CacheResult(StrEnum):
    """What the cache knew of an image."""

    HIT = "hit"
    SHARED = "shared"
    """It was being predicted for another request."""
    MISS = "miss"
