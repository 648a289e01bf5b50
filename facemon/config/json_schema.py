"""What `facemon.yaml` may say as a JSON Schema, for editors; what only facemon itself can judge is not in it."""

import json
from collections.abc import Mapping
from typing import Any, cast

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from facemon.config.builtin_bundles import DEFAULT_BUNDLE, bundle_names
from facemon.config.document import Config
from facemon.config.field_descriptions import field_descriptions
from facemon.config.yaml_text import plain_value

SCHEMA_ID = "urn:facemon:configuration:1"
"""Not an address: nothing is fetched for it. Its number is that of the key `version`."""
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_text() -> str:
    """Return the JSON Schema as the text of a file."""
    return json.dumps(_configuration_schema(), ensure_ascii=False, indent=1) + "\n"


def _configuration_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of `facemon.yaml`, with descriptions and defaults.

    Each file that loads is valid by it. The opposite does not hold: how keys depend on each other, and some limits of
    durations and sizes, are known to `facemon config check` alone.
    """
    schema = Config.model_json_schema(schema_generator=_Generator)
    properties = schema["properties"]
    properties["model"] = _model(properties["model"])
    schema["required"] = [key for key in schema.get("required", ()) if key != "model"]
    return {
        "$schema": _DIALECT,
        "$id": SCHEMA_ID,
        "title": "facemon.yaml",
        **{key: value for key, value in schema.items() if value != []},
    }


def _model(described: Mapping[str, Any]) -> dict[str, Any]:
    """The key `model`, in which a bundle's name may stand for a description."""
    bundle = {"enum": list(bundle_names()), "description": "A built-in bundle, alone."}
    named = {
        "type": "object",
        "properties": {"bundle": bundle},
        "required": ["bundle"],
        "additionalProperties": False,
    }
    return {
        "anyOf": [named, {"$ref": described["$ref"]}],
        "description": "A built-in bundle by its name, or a model of your own.",
        "default": {"bundle": DEFAULT_BUNDLE},
    }


class _Generator(GenerateJsonSchema):
    """Adds to pydantic's schema what docstrings say, and writes defaults as the file would."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - titles would repeat the keys
        return False

    def encode_default(self, dft: Any) -> Any:
        return plain_value(dft)

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        section = cast("type[BaseModel]", schema["cls"])
        made = super().model_schema(schema)
        made.pop("title", None)
        said = field_descriptions(section)
        for name, field in section.model_fields.items():
            key = field.alias or name
            if field.exclude:
                del made["properties"][key]
            else:
                made["properties"][key] = _property(made["properties"][key], field, said.get(name))
        return made


def _property(made: Mapping[str, Any], field: FieldInfo, said: str | None) -> dict[str, Any]:
    changed = dict(made)
    default = changed.pop("default", None)
    # A section's default is that of its keys, which have their own.
    if default is not None and not isinstance(field.default, BaseModel):
        changed["default"] = plain_value(field.default, field) if field.default_factory is None else default
    if said is not None:
        changed["description"] = "\n\n".join(" ".join(each.split()) for each in said.split("\n\n"))
    return changed
