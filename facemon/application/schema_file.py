"""The JSON Schema of `facemon.yaml` as a file, by which editors complete and check keys without a network."""

import json
from pathlib import Path

from facemon.errors import FacemonError

SCHEMA_FILE = "facemon.schema.json"
"""Its name beside a configuration."""
EDITOR_LINE = f"# yaml-language-server: $schema={SCHEMA_FILE}\n"
"""Tells editors where the schema is: relative to the file that has the line."""


def schema_for_stdout() -> str:
    """Return the text of the file, without its last line end."""
    from facemon.config.json_schema import schema_text

    return schema_text().rstrip("\n")


def refuse_other_schema(file: Path) -> None:
    """UsageError where a file is there already that is not a schema which facemon wrote."""
    from facemon.store.replaced_files import refuse_other_file

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
    from facemon.files import drafted

    refuse_other_schema(file)
    try:
        with drafted(file) as draft:
            draft.stream.write(schema_text().encode())
            draft.put(is_lasting=False)
    except OSError as error:
        raise FacemonError(f"{file} cannot be written: {(error.strerror or str(error)).lower()}") from error
