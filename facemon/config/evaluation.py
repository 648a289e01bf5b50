"""The evaluate section: how many true labels an accuracy needs."""

from typing import Annotated

from pydantic import Field

from facemon.config.section import Section


class EvaluateConfig(Section):
    """What `facemon evaluate` publishes."""

    min_labels: Annotated[int, Field(ge=1)] = 30
    """Fewer labels of an attribute leave model_accuracy as it was."""
