"""Keys of the configuration that name an attribute or a column which nothing is known to have: each may be a typo."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from facemon.config.document import Config
from facemon.domain.attribute import Measure
from facemon.domain.prediction import IMAGE_COLUMNS
from facemon.drift.compared_columns import names_of_attributes
from facemon.near_names import nearest_names


@dataclass(frozen=True, slots=True)
class UnknownColumn:
    """A key, what is said of it, and what to do."""

    keys: tuple[str, ...]
    message: str
    hint: str
    has_no_effect: bool
    """Whether it changes nothing for certain: columns of other people's tables are not known before they are read."""
    near: str | None
    """The name that is most like it."""


def unknown_columns(config: Config) -> Iterator[UnknownColumn]:
    """Yield the keys below `tables.columns`, `tables.values` and `drift.columns` that the model does not know."""
    tables, attributes = config.tables, [attribute.name for attribute in config.model.attributes]
    measured = [measure.column(name) for name in attributes for measure in Measure]
    for section, given, known in (
        ("columns", tables.columns, measured),
        ("values", tables.values, attributes),
    ):
        for name in given:
            if name not in known:
                yield _of_the_model(("tables", section, name), known, attributes)
    of_checks = dict.fromkeys((*attributes, *names_of_attributes(config.model.attributes), *measured, *IMAGE_COLUMNS))
    attribute_of = {column: name for name, column in tables.columns.items()}
    for name in config.drift.columns:
        if name in of_checks or name in tables.kinds:
            continue
        near = attribute_of.get(name) or next(iter(nearest_names(name, of_checks)), None)
        say = f"did you mean {near}? " if near else ""
        yield UnknownColumn(
            ("drift", "columns", name),
            "neither the log nor the model has such a column, so the threshold is used for tables alone",
            f"{say}tables.kinds says of a column of tables what it holds",
            has_no_effect=False,
            near=near,
        )


def _of_the_model(keys: tuple[str, ...], known: Collection[str], attributes: Collection[str]) -> UnknownColumn:
    near = next(iter(nearest_names(keys[-1], known)), None)
    return UnknownColumn(
        keys,
        "the model has no such attribute, so the key has no effect",
        f"did you mean {near}?" if near else f"it has {', '.join(attributes)}",
        has_no_effect=True,
        near=near,
    )
