"""A path that no other kind of input takes: an image, or what becomes a row with an error."""

from facemon.predict.inputs.input_kind import Found, Given, InputKind


class ImageFile(InputKind):
    """An image that is named itself, whatever its suffix."""

    def takes(self, path: str) -> bool:
        """Return True: every path is taken."""
        del path
        return True

    def open(self, path: str, given: Given) -> tuple[Found, ...]:
        """Return the image alone."""
        del given
        return (Found(path),)
