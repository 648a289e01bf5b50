"""Which keys differ between two configurations."""

from collections.abc import Iterator

from pydantic import BaseModel


def changed_keys(before: BaseModel, after: BaseModel, within: str = "") -> Iterator[str]:
    """Yield the dotted path of each key whose value differs; lists and mappings are values."""
    for name in type(after).model_fields:
        old, new = getattr(before, name), getattr(after, name)
        if old == new:
            continue
        if isinstance(old, BaseModel) and type(old) is type(new):
            yield from changed_keys(old, new, f"{within}{name}.")
        else:
            yield f"{within}{name}"
