"""The JSON Schema of `facemon.yaml` as a file, by which editors complete and check keys without a network."""

import json
import shlex
import stat
from pathlib import Path

from facemon.error_hints import hint_of
from facemon.errors import FacemonError, UsageError

SCHEMA_FILE = "facemon.schema.json"
"""Its name beside a configuration."""
EDITOR_LINE = f"# yaml-language-server: $schema={SCHEMA_FILE}\n"
"""Tells editors where the schema is: relative to the file that has the line."""


def schema_for_stdout() -> str:
    """Return the text of the file, without its last line end."""
    from facemon.config.json_schema import schema_text

    return schema_text().rstrip("\n")


def refuse_unwritable(file: Path) -> None:
    """FacemonError where a file's folder is missing; UsageError for what is there and is not a regular file."""
    if not file.parent.is_dir():
        hint = f"mkdir -p {shlex.quote(str(file.parent))}"
        raise FacemonError(f"{file} cannot be written: {file.parent} is not a folder", hint)
    if file.exists() and not file.is_file():
        raise UsageError(f"{file} is not a regular file", "name a file with -o; -o - writes to stdout")


def refuse_other_schema(file: Path) -> None:
    """UsageError where a file is there already that is not a schema of facemon's; else as `refuse_unwritable`."""
    from facemon.store.replaced_files import refuse_other_file

    refuse_unwritable(file)
    refuse_other_file(file, _holds_schema, "schema")


def _holds_schema(file: Path) -> bool:
    from facemon.config.json_schema import SCHEMA_ID

    try:
        written = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        return False
    return isinstance(written, dict) and written.get("$id") == SCHEMA_ID


def write_schema(file: Path) -> None:
    """Write the schema to a file, whole or not at all; one of another version is replaced.

    UsageError as `refuse_other_schema`; FacemonError where it cannot be written.
    """
    from facemon.config.json_schema import schema_text

    refuse_other_schema(file)
    write_whole(file, schema_text())


def write_whole(file: Path, text: str) -> None:
    """Write a text to a file, whole or not at all; FacemonError where that fails, and what was there stays.

    A link stays, and what it leads to is written; a file that is replaced keeps its permissions.
    """
    from facemon.files import drafted

    try:
        target = file.resolve()
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
        with drafted(target) as draft:
            draft.stream.write(text.encode())
            draft.put(mode, is_lasting=False)
    except (OSError, RuntimeError) as error:  # a link to itself
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise FacemonError(
            f"{file} cannot be written: {reason}", hint_of(error) or "name another file with -o"
        ) from error
