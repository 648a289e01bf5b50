"""How many batches are predicted at once, so that images that take long to decode never hold up all others."""

import time

_LIGHT_SECONDS = 5.0
"""For so long after a light image was predicted, half of the lanes are kept for others of its kind."""


class Lanes:
    """Counts the heavy and the light batches that workers predict, and says which kind may begin."""

    def __init__(self, count: int) -> None:
        """`count` is how many light batches are predicted at once, at most; heavy ones are fewer."""
        self.count = count
        self.heavy = 0
        """Heavy images that are being predicted."""
        self._light = 0
        self._light_until = 0.0

    @property
    def may_be_light(self) -> bool:
        """Whether one more light batch may begin."""
        return self._light < self.count

    def may_be_heavy(self, available: int) -> bool:
        """Whether one more heavy image may begin where so many workers can be asked.

        One lane is kept for light images, and half of them where light images come at all. A single worker takes
        whatever comes.
        """
        most = min(self.count, available) - 1
        if time.monotonic() < self._light_until:
            most = min(most, self.count // 2)
        return self.heavy < max(1, most)

    def begin(self, *, is_heavy: bool) -> None:
        """Count a batch that a worker is about to predict."""
        if is_heavy:
            self.heavy += 1
        else:
            self._light += 1
            self._light_until = time.monotonic() + _LIGHT_SECONDS

    def end(self, *, is_heavy: bool) -> None:
        """Take off a batch that `begin` counted."""
        if is_heavy:
            self.heavy -= 1
        else:
            self._light -= 1
