"""Numbers with their nouns, as messages say them."""


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun in the singular or plural."""
    return f"{number} {one}" if number == 1 else f"{number} {many or one + 's'}"
