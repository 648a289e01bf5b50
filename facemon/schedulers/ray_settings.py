"""The variables of Ray that facemon sets or asks for: tokens, loopback, and nothing that is sent to its makers."""

import os
import secrets
from collections.abc import Mapping

from facemon.errors import UsageError

HINT = "pip install 'facemon[ray]'"
"""The command that installs Ray."""
AUTH_MODE, TOKENS = "RAY_AUTH_MODE", "token"
_TOKEN = "RAY_AUTH_TOKEN"  # noqa: S105 - the name of a variable
_QUIET = {
    # What Ray's core logs goes to stderr otherwise.
    "RAY_BACKEND_LOG_LEVEL": "error",
}
_LOOPBACK_ONLY = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Keeps Ray from replacing 127.0.0.1 by this machine's address, on which all its servers would listen."""


def settings_of(address: str | None) -> dict[str, str]:
    """Return the variables of the process that speaks to a cluster, beside those that it inherits."""
    found = dict(_QUIET)
    if address is None:
        # A token of its own: Ray would write one into the user's home otherwise.
        found |= {**_LOOPBACK_ONLY, AUTH_MODE: TOKENS, _TOKEN: secrets.token_hex(32), "RAY_ADDRESS": ""}
    return found


def refuse_no_tokens(environment: Mapping[str, str] = os.environ) -> None:
    """UsageError where this machine does not use tokens: any machine that reaches such a cluster can run code on it."""
    if environment.get(AUTH_MODE, "").lower() != TOKENS:
        raise UsageError(
            "--engine ray uses clusters with token authentication only, and RAY_AUTH_MODE is not token here",
            "on each node, before ray start, and here: export RAY_AUTH_MODE=token, with the token in ~/.ray/auth_token "
            "(ray get-auth-token --generate makes one)",
        )
