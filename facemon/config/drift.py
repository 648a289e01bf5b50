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
    """Unset = the comma, semicolon or tab of the header line.

    One ASCII sign.
    """
    decimal: Literal[".", ","] = "."
    """The decimal sign; of text in columns that `kinds` declares numerical, where it may be either."""
    encoding: Name | None = None
    """A codec of Python such as cp1252, utf-16, shift_jis; unset = UTF-8; of a manifest, for lines that are not UTF-8.

    A file that begins with the byte order mark of UTF-8 is UTF-8 all the same.
    """


class TablesConfig(Section):
    """How the columns of CSV, JSON Lines and Parquet files map to images and attributes."""

    image: Name = "image"
    """The column that names the image."""
    observed_at: Name = "observed_at"
    """The column with the time when the image was taken."""
    source: Name = "source"
    """The column that says where the image comes from."""
    box: Name = "box"
    """Of manifests: [left, top, right, bottom] of the face, for the finder manifest.

    It may be four columns too: `box_left`, `box_top`, `box_right` and `box_bottom`.
    """
    id: Name = "image_id"
    """Of manifests and labels: the image's identifier in other systems."""
    etag: Name = "etag"
    """Of manifests: the ETag of an image in object storage; another is an error row: changed."""
    size: Name = "size"
    """Of manifests: how many bytes it has, in the same way."""
    columns: Mapping[Name, Name] = Field(default_factory=dict)
    """Attribute: the file's column, where their names differ, e.g. {gender: sex}."""
    values: Mapping[Name, Mapping[str | int | float | bool, str]] = Field(default_factory=dict)
    """Attribute: what its cells mean, e.g. {gender: {0: female, 1: male}}."""
    kinds: Mapping[Name, _TableKind] = Field(default_factory=dict)
    """Another column: categorical, numerical or ignore, where its cells do not show it.

    What the columns of attributes hold is said by the model.
    """
    csv: CsvConfig = CsvConfig.model_construct()
    """How CSV files are written, where they do not show it."""


class ThresholdConfig(Section):
    """The score from which on a shift matters."""

    threshold: Proportion
    """From 0 to 1; a column with a lower score has not drifted."""


_Kind = Literal["categorical", "numerical"]
_METHODS: Mapping[_Kind, Name] = {"categorical": "jensenshannon", "numerical": "wasserstein"}


class EvidentlyConfig(Section):
    """What `--check evidently` asks of Evidently; methods are always named, never defaulted."""

    methods: Annotated[Mapping[_Kind, Name], AfterValidator(lambda given: {**_METHODS, **given})] = _METHODS
    """Always both kinds: one that the file leaves out keeps its default."""
    share: Proportion = 0.5
    """Share of drifted columns from which on the whole data set counts as drifted."""
    when: Literal["drift", "always", "never"] = "drift"
    """With --check all: after drift or doubt; or always, or never.

    Doubt is a column that the other checks could not decide.
    """
    max_rows: Annotated[int, Field(ge=1)] = 20_000
    """Rows that a sample for Evidently has at most."""


class DriftConfig(Section):
    """What counts as drift."""

    window: PositiveDuration = timedelta(hours=24)
    """How much of the newest data is compared."""
    widen_to: PositiveDuration = timedelta(days=14)
    """The longest window compared where `window` holds too few rows; 24h = never longer.

    A value that is equal to `window` keeps that one.
    """
    accuracy_window: PositiveDuration = timedelta(days=30)
    """How far back labelled images count towards the accuracy of today.

    It is counted from the window's end.
    """
    reference: Name | None = None
    """The reference to compare with; unset = the one that was set last."""
    min_rows: Annotated[int, Field(ge=1)] = 200
    """Fewer rows on either side: undecided."""
    significance: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """The highest adjusted p-value at which a shift counts as proven."""
    cluster: Literal["source", "none"] = "source"
    """Rows of one source are not independent; none = they are."""
    data: ThresholdConfig = ThresholdConfig(threshold=0.1)
    """Score, from 0 to 1, from which on a shift of the images matters."""
    model: ThresholdConfig = ThresholdConfig(threshold=0.05)
    """The same for predictions: 0.05 is five percentage points."""
    columns: Mapping[Name, ThresholdConfig] = Field(default_factory=dict)
    """Thresholds of single columns, e.g. {gender: {threshold: 0.02}}."""
    evidently: EvidentlyConfig = EvidentlyConfig.model_construct()
    on_drift: Annotated[tuple[Name, ...], Field(strict=False)] = ()
    """A command for each new drift, e.g. [./retrain.sh, --now]; the JSON is on its stdin.

    It is run without a shell; the JSON is `facemon.drift/1`.
    """
    on_drift_timeout: Timeout = timedelta(minutes=5)
    """After that it is killed, and tried again by the next check; at most 1d."""

    @model_validator(mode="after")
    def _widens(self) -> Self:
        # The default is shorter than a window of a month, which is then the only one.
        if "widen_to" in self.model_fields_set and self.widen_to < self.window:
            raise ValueError("widen_to is shorter than window: write a longer time, or the window's own to never widen")
        return self
