"""Other descriptions run on the same faces: what each attribute's columns would be, face by face."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from facemon.config.model import AttributeConfig
from facemon.domain.array_types import Floats
from facemon.errors import FacemonError
from facemon.model.attribute_decoding import read_attribute
from facemon.model.bundle import Bundle, Pixels
from facemon.model.check.alternatives import Alternative, Seen, changed, input_alternatives, reading_alternatives
from facemon.model.faces import Face
from facemon.model.input_tensor import input_pixels

Change = tuple[Alternative, ...]
"""Alternatives that hold together, each of another kind; empty for the description as it is."""
_Key = tuple[tuple[int, ...], Change]


@dataclass(frozen=True, slots=True)
class Answers:
    """What an attribute is for each face: codes index its classes, -1 where the model gave no number or no label."""

    codes: NDArray[np.intp] | None
    values: Floats
    """A number's, or an ordinal's; NaN where the model gave no number, and of all other attributes."""


class TriedDescriptions:
    """Runs networks under changed descriptions on faces that come one by one.

    A change holds for all networks that describe an attribute. Networks run once for each change of what they see,
    however many attributes are read from them.
    """

    def __init__(self, bundle: Bundle, wanted: Mapping[str, Sequence[Change]]) -> None:
        """`wanted` are the changes to try, by attribute."""
        self._bundle = bundle
        self._attributes = {each.name: each for each in bundle.config.attributes}
        self._groups = {name: _networks_of(bundle, name) for name in wanted}
        self._runs: dict[_Key, tuple[Bundle, tuple[Seen, ...]]] = {}
        self._columns: dict[tuple[_Key, str], list[Floats]] = {}
        for name, changes in wanted.items():
            for change in changes:
                key = self._key(name, change)
                self._runs.setdefault(key, self._run(key))
                self._columns.setdefault((key, name), [])

    def add(self, face: Face) -> None:
        """Run all descriptions on one more face."""
        pixels = dict[object, Pixels]()
        crops = {view: face.seen(view) for view in {seen.view for _, group in self._runs.values() for seen in group}}
        for key, (bundle, group) in self._runs.items():
            inputs = []
            for seen in group:
                config = seen.network.config.input
                # Scale, mean and standard deviation come later.
                look = (seen.view, config.model_copy(update={"scale": 1.0, "mean": (0.0,) * 3, "std": (1.0,) * 3}))
                if look not in pixels:
                    pixels[look] = input_pixels(crops[seen.view], config)
                inputs.append([pixels[look]])
            columns, _ = bundle.run(inputs)
            for (own, name), rows in self._columns.items():
                if own == key:
                    rows.append(columns[name])

    def answers(self, attribute: str, change: Change) -> Answers | None:
        """What the attribute would be for each face so far; none where the outputs cannot be read like that."""
        config = self._attributes[attribute]
        activation = next((each.activation for each in change if each.activation), None)
        if activation:
            config = config.model_copy(update={"activation": activation})
        columns = np.concatenate(self._columns[self._key(attribute, change), attribute])
        return _read(config, columns, is_swapped=any(each.swaps_labels for each in change))

    def _key(self, attribute: str, change: Change) -> _Key:
        return self._groups[attribute], tuple(each for each in change if not each.is_reading)

    def _run(self, key: _Key) -> tuple[Bundle, tuple[Seen, ...]]:
        group, change = key
        faces = self._bundle.config.faces
        seen = tuple(changed(self._bundle.networks[index], faces, change) for index in group)
        averaged = {
            name: count for name, count in self._bundle.averaged.items() if _networks_of(self._bundle, name) == group
        }
        networks = tuple(each.network for each in seen)
        return replace(self._bundle, networks=networks, averaged=averaged), seen


def _networks_of(bundle: Bundle, attribute: str) -> tuple[int, ...]:
    """The places of the networks that describe an attribute."""
    return tuple(dict.fromkeys(index for (index, _), _ in bundle.config.described(attribute)))


def usual_changes(bundle: Bundle, attribute: AttributeConfig) -> list[Change]:
    """The usual alternatives for one attribute, one at a time: those that fit all networks that describe it."""
    faces = bundle.config.faces
    each_network = [
        {alternative.change: alternative for alternative in input_alternatives(bundle.networks[index], faces)}
        for index in _networks_of(bundle, attribute.name)
    ]
    shared = [
        alternative
        for name, alternative in each_network[0].items()
        if all(alternatives.get(name) == alternative for alternatives in each_network[1:])
    ]
    return [(each,) for each in (*shared, *reading_alternatives(attribute))]


def _read(attribute: AttributeConfig, columns: Floats, *, is_swapped: bool) -> Answers | None:
    finite = np.isfinite(columns).all(axis=1)
    codes = np.full(len(columns), -1, np.intp)
    values = np.full(len(columns), np.nan)
    if not finite.any():
        return Answers(codes if attribute.classes else None, values)
    try:
        reading = read_attribute(attribute, columns[finite])
    except FacemonError:
        return None
    if reading.codes is not None:
        codes[finite] = 1 - reading.codes if is_swapped else reading.codes
    if reading.value is not None:
        values[finite] = reading.value
    return Answers(None if reading.codes is None else codes, values)
