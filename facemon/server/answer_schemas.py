"""The objects that the API sends, as types whose JSON Schema pydantic makes. No request passes through them."""

from typing import Annotated, Any

from pydantic import BaseModel, Field
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema

from facemon.domain.prediction import SCHEMA_NAME, ErrorCode

_REFERENCE = "#/components/schemas/{model}"
"""Where an OpenAPI document has its schemas."""
_TIME = Field("", json_schema_extra={"format": "date-time"})


class Attribute(BaseModel):
    """What was predicted of one attribute: a label, a value or both."""

    label: str = ""
    confidence: Annotated[float, Field(ge=0, le=1)] = 0
    value: float = 0


class Prediction(BaseModel):
    """One face, or an image without one; `error` says why."""

    schema_name: Annotated[str, Field(alias="schema", json_schema_extra={"const": SCHEMA_NAME})]
    image: str = ""
    image_id: str | None = None
    image_sha256: str | None
    face: int | None
    box: list[int] | None = None
    face_confidence: float | None = None
    observed_at: str = _TIME
    predicted_at: str = _TIME
    model: str = ""
    source: str | None = None
    attributes: dict[str, Attribute]
    error: ErrorCode | None
    error_message: str | None = None


class Image(BaseModel):
    """Which of the predictions are those of an image."""

    name: str
    first: int
    rows: int


class Predictions(BaseModel):
    """The answer to one image or several."""

    predictions: list[Prediction]
    images: Annotated[list[Image], Field(description="Of several images: which rows are whose.")] = []


class Error(BaseModel):
    """Why a request was refused."""

    error: str
    message: str
    request: Annotated[str, Field(description="The request's id, as in X-Request-ID and the log.")]


class _Schemas(GenerateJsonSchema):
    """JSON Schema without defaults and key titles: an optional key may be missing."""

    def default_schema(self, schema: Any) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: Any) -> bool:
        del schema
        return False


def schema_reference(model: type[BaseModel]) -> dict[str, str]:
    """Return what leads to the schema of one of the objects in an OpenAPI document."""
    return {"$ref": _REFERENCE.format(model=model.__name__)}


def answer_schemas() -> dict[str, Any]:
    """Return the JSON Schema of each object, by its name."""
    models: list[Any] = [(Predictions, "validation"), (Error, "validation")]
    _, document = models_json_schema(models, ref_template=_REFERENCE, schema_generator=_Schemas)
    found: dict[str, Any] = document["$defs"]
    return found
