"""The variables of Ray that facemon sets or asks for: tokens, loopback, and nothing that is sent to its makers."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from facemon.errors import UsageError

HINT = "pip install 'facemon[ray]'"
"""The command that installs Ray."""
AUTH_MODE, TOKENS = "RAY_AUTH_MODE", "token"
_TOKEN, _TOKEN_PATH = "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"
_QUIET = {
    # What Ray's core logs goes to stderr otherwise.
    "RAY_BACKEND_LOG_LEVEL": "error",
}
_OWN_CLUSTER = {
    # Keeps Ray from replacing 127.0.0.1 by this machine's address, on which all its servers would listen.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # Ray's workers have a niceness of 15 otherwise, and those of facemon that of the command.
    "RAY_worker_niceness": "0",
}


def settings_of(address: str | None, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables of the process that speaks to a cluster, beside those that it inherits."""
    found = dict(_QUIET)
    if path := environment.get(_TOKEN_PATH):
        # That process works in another folder.
        found[_TOKEN_PATH] = str(Path(path).absolute())
    if address is None:
        # A token of its own: Ray would write one into the user's home otherwise.
        found |= {**_OWN_CLUSTER, AUTH_MODE: TOKENS, _TOKEN: secrets.token_hex(32), "RAY_ADDRESS": ""}
    return found


def refuse_no_tokens(environment: Mapping[str, str] = os.environ) -> None:
    """UsageError where this machine does not use tokens: any machine that reaches such a cluster can run code on it."""
    if environment.get(AUTH_MODE, "").lower() != TOKENS:
        raise UsageError(
            "--engine ray uses clusters with token authentication only, and RAY_AUTH_MODE is not token here",
            "on each node, before ray start, and here: export RAY_AUTH_MODE=token, with the token in ~/.ray/auth_token "
            "(ray get-auth-token --generate makes one)",
        )
