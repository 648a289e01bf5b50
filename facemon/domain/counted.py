"""Numbers with their nouns, as messages say them."""


def counted(number: int, one: str, many: str | None = None, *, grouped: bool = False) -> str:
    """A number with its noun in the singular or plural; with `grouped`, 1000 is 1,000."""
    shown = f"{number:,}" if grouped else str(number)
    return f"{shown} {one}" if number == 1 else f"{shown} {many or one + 's'}"
