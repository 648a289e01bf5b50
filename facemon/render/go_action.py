"""The few forms of Go templates that notifications are built from."""


def action(expression: str) -> str:
    """The text that the expression gives."""
    return f"{{{{ {expression} }}}}"


def when(condition: str, then: str, otherwise: str = "") -> str:
    """One text if the condition is neither false nor empty, else the other."""
    rest = f"{action('else')}{otherwise}" if otherwise else ""
    return f"{action(f'if {condition}')}{then}{rest}{action('end')}"


def each(items: str, text: str) -> str:
    """The text for each of the items."""
    return f"{action(f'range {items}')}{text}{action('end')}"
