"""The JSON of rows, read back."""

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from facemon.domain.attribute import Attribute
from facemon.domain.prediction_json import PredictionJson


def documents_of(rows: pa.RecordBatch, attributes: Sequence[Attribute]) -> list[dict[str, Any]]:
    """Each row's object of `facemon.prediction/1`."""
    return [json.loads(text) for text in PredictionJson(attributes).texts(rows)]
