"""What a shell that completes a line is told, by typer's scripts, which `--show-completion` prints.

A shell shows its user whatever a completion prints, in the middle of the line: errors are not told.
"""

import os
import re
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

_VARIABLE = "_FACEMON_COMPLETE"
"""What a shell sets to ask."""
_BREAKS = ":="
"""Of $COMP_WORDBREAKS of bash, what our values have: names of references have colons."""
_SPECIAL = re.compile(r"[^\w@%+=:,./^-]")


def answer_shell(complete: Callable[[], object]) -> int:
    """Print what `complete`, a run of the command line, finds for the shell, and return its exit code; 0 for errors.

    The scripts themselves are printed as they are.
    """
    is_bash = os.environ[_VARIABLE] == "complete_bash"
    given = _join_words() if is_bash else ""
    found, code = StringIO(), 0
    with redirect_stdout(found), redirect_stderr(StringIO()):
        try:
            complete()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
        except Exception:  # noqa: BLE001 - a shell is told nothing of any error
            return 0
    text = found.getvalue()
    sys.stdout.write(_for_bash(text, given) if is_bash else text)
    return code


def _join_words() -> str:
    """Join the words that bash has cut at colons and equals signs, and return what stands before the cut."""
    words, at = os.environ.get("COMP_WORDS", "").split("\n"), os.environ.get("COMP_CWORD", "")
    if not at.isdecimal() or not 0 < int(at) < len(words):
        return ""
    current, joined, is_cut = int(at), list[str](), False
    for word in words[: current + 1]:
        is_break = word != "" and not word.strip(_BREAKS)
        if joined[1:] and (is_cut or is_break):
            joined[-1] += word
        else:
            joined.append(word)
        is_cut = is_break
    os.environ["COMP_WORDS"], os.environ["COMP_CWORD"] = "\n".join(joined), str(len(joined) - 1)
    value = joined[-1].partition("=")[2] if joined[-1].startswith("--") else joined[-1]
    return value[: max(map(value.rfind, _BREAKS)) + 1] if joined[-1] != words[current] else ""


def _for_bash(text: str, given: str) -> str:
    """The values without what is on the line already, in the notation of bash."""
    is_quoted = os.environ.get("COMP_WORDS", "").rpartition("\n")[2][:1] in ("'", '"')
    values = [value.removeprefix(given) for value in text.splitlines()]
    escaped = values if is_quoted else [_SPECIAL.sub(r"\\\g<0>", value) for value in values]
    return "".join(f"{value}\n" for value in escaped)
