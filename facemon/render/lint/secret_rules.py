"""No secret stands in a rendered file: not as a value, not in an address, not in a container's environment."""

import re
from collections.abc import Iterator
from functools import lru_cache

from facemon.render.lint.finding import Finding, LintedFile
from facemon.render.rendered_content import strings

_SECRET_KEY = re.compile(
    r"(?:^|_)(?:password|passwd|passphrase|token|credentials|secret|secret_key|private_key|api_key|api_url|"
    r"routing_key|service_key|webhook_url|url_secret)$",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"\$\{\{ [\w.]+ \}\}")
"""A workflow's reference to a secret that its host keeps."""
_IN_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@\"'`<>]*:[^\s/@\"'`<>]+@", re.IGNORECASE)
_IN_ENVIRONMENT = re.compile(r"^\s*(?:export |Environment=)?([A-Z][A-Z0-9_]*)=(\S+)$", re.MULTILINE)
_ACTION = "name a file that holds it"


def secret_findings(files: tuple[LintedFile, ...]) -> Iterator[Finding]:
    """Every text that is a secret by its key, or an address with a password in it; no message shows one."""
    for file in files:
        for place, text in strings(file.content):
            key = str(place[-1]) if place else ""
            if _names_a_secret(key) and text and not _REFERENCE.fullmatch(text):
                yield file.fault(place, "holds a secret by its name", _ACTION)
        for match in _IN_ADDRESS.finditer(file.text):
            line = file.text.count("\n", 0, match.start()) + 1
            yield file.fault((), f"line {line} has an address with a password in it", _ACTION)
        if file.content is None:
            for name, _ in _IN_ENVIRONMENT.findall(file.text):
                if _names_a_secret(name):
                    yield file.fault((), f"sets {name}, a secret by its name", _ACTION)


# A stack has tens of thousands of texts below a few hundred keys.
@lru_cache(maxsize=1024)
def _names_a_secret(key: str) -> bool:
    return _SECRET_KEY.search(key) is not None
