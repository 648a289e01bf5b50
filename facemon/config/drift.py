"""The drift section and the mapping of other people's tables to attributes."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from facemon.config.quantities import Name, PositiveDuration, Proportion, Timeout
from facemon.config.section import Section

_TableKind = Literal["categorical", "numerical", "ignore"]


class CsvConfig(Section):
    """How CSV files are written, where they do not show it."""

    delimiter: Annotated[str, Field(pattern=r"^[\t !#-/:-@\[-`{-~]$")] | None = None
    """One ASCII sign; unset = the one of comma, semicolon and tab that the header line holds."""
    decimal: Literal[".", ","] = "."
    """The decimal sign; of text in columns that `kinds` declares numerical, where it may be either."""
    encoding: Name | None = None
    """A codec of Python; unset = UTF-8. A file that begins with the byte order mark of UTF-8 is UTF-8 all the same."""


class TablesConfig(Section):
    """How the columns of CSV, JSON Lines and Parquet files map to images and attributes."""

    image: Name = "image"
    observed_at: Name = "observed_at"
    source: Name = "source"
    box: Name = "box"
    """Of manifests: `[left, top, right, bottom]`, or four columns `box_left` … `box_bottom`."""
    id: Name = "image_id"
    """Of manifests and labels: what other systems call the image."""
    columns: Mapping[Name, Name] = Field(default_factory=dict)
    """Attribute to the file's column."""
    values: Mapping[Name, Mapping[str | int | float | bool, str]] = Field(default_factory=dict)
    """Attribute to what a cell's value means."""
    kinds: Mapping[Name, _TableKind] = Field(default_factory=dict)
    """The file's column to what it holds, where its cells do not show it; of attributes the model says it."""
    csv: CsvConfig = CsvConfig()


class ThresholdConfig(Section):
    """The score from which on a shift matters."""

    threshold: Proportion


_Kind = Literal["categorical", "numerical"]
_METHODS: Mapping[_Kind, Name] = {"categorical": "jensenshannon", "numerical": "wasserstein"}


class EvidentlyConfig(Section):
    """What `--check evidently` asks of Evidently; methods are always named, never defaulted."""

    methods: Annotated[Mapping[_Kind, Name], AfterValidator(lambda given: {**_METHODS, **given})] = _METHODS
    """Always both kinds: one that the file leaves out keeps its default."""
    share: Proportion = 0.5
    when: Literal["drift", "always", "never"] = "drift"
    """When `--check all` runs it: once our own checks found drift or could not decide, each time, or not at all."""
    max_rows: Annotated[int, Field(ge=1)] = 20_000


class DriftConfig(Section):
    """What counts as drift."""

    window: PositiveDuration = timedelta(hours=24)
    widen_to: PositiveDuration = timedelta(days=14)
    """The longest window that a check may take where `window` holds too few rows to decide; equal to it: never."""
    accuracy_window: PositiveDuration = timedelta(days=30)
    """How far back from the window's end labelled images count towards the current accuracy."""
    reference: Name | None = None
    min_rows: Annotated[int, Field(ge=1)] = 200
    significance: Annotated[float, Field(gt=0, lt=1)] = 0.05
    cluster: Literal["source", "none"] = "source"
    """Rows of one cluster are not independent; `none` declares that they are."""
    data: ThresholdConfig = ThresholdConfig(threshold=0.1)
    model: ThresholdConfig = ThresholdConfig(threshold=0.05)
    columns: Mapping[Name, ThresholdConfig] = Field(default_factory=dict)
    evidently: EvidentlyConfig = EvidentlyConfig()
    on_drift: Annotated[tuple[Name, ...], Field(strict=False)] = ()
    """A command that is run, without a shell, once for each new drift, with `facemon.drift/1` on its stdin."""
    on_drift_timeout: Timeout = timedelta(minutes=5)

    @model_validator(mode="after")
    def _widens(self) -> Self:
        # The default is shorter than a window of a month, which is then the only one.
        if "widen_to" in self.model_fields_set and self.widen_to < self.window:
            raise ValueError("widen_to is shorter than window: write a longer time, or the window's own to never widen")
        return self
