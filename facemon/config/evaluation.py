"""The evaluate section: how many true labels an accuracy needs."""

from typing import Annotated

from pydantic import Field

from facemon.config.section import Section


class EvaluateConfig(Section):
    """What `facemon evaluate` publishes."""

    min_labels: Annotated[int, Field(ge=1)] = 30
    """Labels of one attribute from which on an evaluation sets `model_accuracy`."""
