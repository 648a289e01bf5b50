"""Sections that the file leaves out: they are made without their validators, so that a start need not build these."""

import pytest

from facemon.config.document import Config
from facemon.config.section import Section


def _defaults(section: type[Section]) -> dict[str, Section]:
    """What stands where the file is silent, by its key, in a section and in those below it."""
    found = {}
    for name, field in section.model_fields.items():
        if isinstance(field.default, Section):
            found[name] = field.default
            found |= {f"{name}.{below}": each for below, each in _defaults(type(field.default)).items()}
    return found


_DEFAULTS = _defaults(Config)


@pytest.mark.parametrize("key", _DEFAULTS)
def test_a_section_that_is_left_out_would_be_valid(key: str) -> None:
    default = _DEFAULTS[key]
    given = {name: getattr(default, name) for name, field in type(default).model_fields.items() if field.is_required()}
    assert default == type(default)(**given)


def test_every_section_but_the_model_may_be_left_out() -> None:
    assert {name for name in Config.model_fields if name in _DEFAULTS} >= {"store", "drift", "alerts", "schedule"}
    assert len(_DEFAULTS) > 40
