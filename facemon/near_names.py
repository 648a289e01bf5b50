"""The known names that a wrong one may have meant."""

from collections.abc import Iterable


def nearest_names(name: str, known: Iterable[str], most: int = 1, cutoff: float = 0.6) -> list[str]:
    """The `known` names most like `name`, the likest first: at most `most`, each at least `cutoff` alike (0 to 1).

    Letter case makes no difference: `AGE` is as near to `age` as a name can be.
    """
    from difflib import get_close_matches

    folded: dict[str, list[str]] = {}
    for each in known:
        folded.setdefault(each.casefold(), []).append(each)
    near = get_close_matches(name.casefold(), folded, n=most, cutoff=cutoff)
    return [each for match in near for each in folded[match]][:most]


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "", most: int = 1, cutoff: float = 0.6) -> str:
    """A hint that names the nearest of `known`, or `otherwise` where none is near."""
    near = nearest_names(name, known, most, cutoff)
    return f"did you mean {' or '.join(near)}?" if near else otherwise


def either(names: Iterable[str]) -> str:
    """Return one name or more as the alternatives of a sentence: `dlib, yunet or none`."""
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last
