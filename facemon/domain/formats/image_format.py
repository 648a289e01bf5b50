"""What each format of images says of itself."""

from dataclasses import dataclass
from importlib.util import find_spec


@dataclass(frozen=True, slots=True)
class ImageFormat:
    """A format that Pillow reads by itself."""

    name: str
    """What `predict.formats` says: Pillow's own name in lower case."""
    suffixes: tuple[str, ...]
    """The extensions of its files, in lower case."""
    upright_when_decoded: bool = False
    """Whether its decoder turns the pixels as the file's orientation says."""
    ignores_xmp: bool = False
    """Whether an orientation in XMP is ignored, although Pillow would apply it."""

    @property
    def is_readable(self) -> bool:
        """Whether it can be decoded here."""
        return True


@dataclass(frozen=True, slots=True)
class PluginFormat(ImageFormat):
    """A format that Pillow reads with the library of an extra; `begins` and `register` are for the format to say."""

    title: str = ""
    """What messages call it."""
    library: str = ""
    """The library's top-level module."""
    extra: str = ""
    """The extra of facemon that brings the library."""

    @property
    def is_readable(self) -> bool:
        """Whether the library is installed; it is not loaded."""
        return find_spec(self.library) is not None

    @property
    def hint(self) -> str:
        """The command that makes the format readable."""
        return f"pip install 'facemon[{self.extra}]'"

    def begins(self, content: bytes) -> bool:
        """Return whether a file begins as this format does."""
        raise NotImplementedError

    def register(self) -> None:
        """Let Pillow open the format. The library is loaded here, where it is installed."""
        raise NotImplementedError
