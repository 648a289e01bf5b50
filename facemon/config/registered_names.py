"""Values that name an entry of a registry, such as a kind of attribute or a finder of faces."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

from facemon.near_names import either


@dataclass(frozen=True, slots=True, eq=False)
class NameIn:
    """The annotation of a text that must be a key of a registry; another one is as wrong as for `Literal`.

    The registry is asked for each value, so that what is added to it later is accepted too.
    """

    registry: Mapping[str, object]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of the check."""
        return core_schema.no_info_plain_validator_function(self._known)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the JSON schema, as that of `Literal`."""
        return {"enum": list(self.registry), "type": "string"}

    def _known(self, given: Any) -> str:
        if not isinstance(given, str) or given not in self.registry:
            raise PydanticKnownError("literal_error", {"expected": either(map(repr, self.registry))})
        return given
