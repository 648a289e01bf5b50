"""What a scrape may bring, apart from the schema: an application that is instrumented need not load that."""

from typing import NamedTuple


class ScrapeLimits(NamedTuple):
    """What a scrape may bring at most; sizes in bytes."""

    samples: int = 50_000
    labels: int = 64
    label_name_length: int = 200
    label_value_length: int = 2_000
