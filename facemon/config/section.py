"""The one way in which every part of the configuration is read: strict, closed, frozen."""

from pydantic import BaseModel, ConfigDict


class MisfitError(ValueError):
    """Faults that show only when a whole section is at hand: each a path below the section and a sentence."""

    def __init__(self, *faults: tuple[tuple[str | int, ...], str]) -> None:
        """Each of `faults` is the keys below the section, then what is wrong there."""
        super().__init__("; ".join(message for _, message in faults))
        self.faults = faults


class Section(BaseModel):
    """A part of `facemon.yaml`; unknown keys and values of another type are errors.

    Pydantic builds the validator of the whole document only. A default is made by `model_construct`, since one that is
    validated would need a validator of its own: a twentieth of what it takes to read a configuration.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)
