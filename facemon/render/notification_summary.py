"""What a message says of many alerts at once: the columns, the worst first, the sources, and how many there are.

Go templates have no sums, no sets and no order: counts are lengths of texts, a set is a text that is searched, and the
worst are found by comparing texts.
"""

from collections.abc import Callable

from facemon.render.go_action import action, each, when

TOLD = "or .Alerts.Firing .Alerts"
"""The alerts that are counted: those that fire, and at the end all of them."""

_SHOWN = 3
_WORST = (("$x", "$a"), ("$y", "$b"), ("$z", "$c"))
"""The variables of the worst columns: the number and the name of each."""


def _is_new(name: str, seen: str) -> str:
    """Whether a name is not yet in the lines of `seen`. `match` reads a pattern, so that all signs are escaped."""
    quoted = rf'(reReplaceAll "([[:punct:]])" "\\$1" ({name}))'
    return rf'not (match (printf "\n%s\n" {quoted}) {seen})'


def _counted(label: str, seen: str, names: str, count: str) -> str:
    """Add the value of a label to the first names and to the count, once."""
    steps = (
        action(rf'{seen} = print {seen} {label} "\n"'),
        when(f"lt (len {count}) {_SHOWN}", action(f'{names} = print {names} (and {names} ", ") {label}')),
        action(f'{count} = print {count} "x"'),
    )
    return when(label, when(_is_new(label, seen), "".join(steps)))


def _worst() -> str:
    """Keep the worst columns: those of the highest score, or of the lowest accuracy.

    Both have one digit before the point and three behind it, so that the order of the texts is that of the numbers.
    """
    chain = ""
    for rank in reversed(range(len(_WORST))):
        number, name = _WORST[rank]
        moved = [
            action(f"{to} = {at}")
            for place in range(len(_WORST) - 1, rank, -1)
            for to, at in zip(_WORST[place], _WORST[place - 1], strict=True)
        ]
        steps = "".join([*moved, action(f"{number} = $w"), action(f"{name} = .Labels.attribute")])
        worse = f"or (not {number}) (and $low (lt $w {number})) (and (not $low) (gt $w {number}))"
        chain = when(worse, steps, chain)
    number = action("$low := .Annotations.accuracy") + action("$w := or .Annotations.score $low")
    return number + when("and $w .Labels.attribute", chain)


def _variables() -> str:
    empty = ("$n", "$ns", "$m", "$ms", *(name for pair in _WORST for name in pair))
    starts = {**dict.fromkeys(empty, '""'), **dict.fromkeys(("$columns", "$sources", "$told"), r'"\n"')}
    return "".join(action(f"{name} := {start}") for name, start in starts.items())


COLLECTED = "".join([
    _variables(),
    each(TOLD, "".join([
        _worst(),
        _counted(".Labels.attribute", "$columns", "$ns", "$n"),
        _counted(".Labels.source", "$sources", "$ms", "$m"),
    ])),
    action(f"$k := {_SHOWN}"),
    when("and $x (not $z)", when("$y", action("$k = 2"), action("$k = 1"))),
])  # fmt: skip
"""Goes through the alerts. Afterwards $a, $b and $c are the worst columns and $x, $y and $z their numbers, $ns and $ms
the first columns and sources; $n and $m are as long as there are columns and sources; $k columns are shown."""


def _more(count: str, shown: str) -> str:
    return when(f"gt (len {count}) {shown}", f" and {action(f'len (slice {count} {shown})')} more")


def columns_text(shown: Callable[[str], str], *, numbers: bool = True) -> str:
    """The worst columns with their numbers, or else the first ones, and how many more there are."""
    worst = ""
    for rank, (number, name) in enumerate(_WORST):
        text = f"{', ' if rank else ''}{shown(name)}{f' {action(number)}' if numbers else ''}"
        worst += when(number, text)
    return when("$x", worst, shown("$ns")) + _more("$n", "$k")


def sources_text(shown: Callable[[str], str]) -> str:
    """The first sources, and how many more there are."""
    return shown("$ms") + _more("$m", str(_SHOWN))


def title(shown: Callable[[str], str]) -> str:
    """A line: firing (how many) or resolved, which alert or incident, of which model, its columns and sources."""
    firing = when('eq .Status "firing"', f" {action('.Alerts.Firing | len')}")
    incident = when(".CommonLabels.incident", shown(".CommonLabels.incident"), "several alerts")
    return "".join([
        COLLECTED,
        f"[{action('.Status | toUpper')}{firing}] ",
        when(".CommonLabels.alertname", shown(".CommonLabels.alertname"), incident),
        when(".CommonLabels.model", f" of {shown('.CommonLabels.model')}"),
        when("$n", f": {columns_text(shown, numbers=False)}"),
        when("$m", f": {sources_text(shown)}"),
    ])  # fmt: skip


def first_of_name(alerts: str, text: str) -> str:
    """The text for the first alert of each name and status, and for all that neither a column nor a source tells of."""
    key = 'print .Status " " .Labels.alertname'
    steps = (
        action(f"$new := {_is_new(key, '$told')}"),
        action(rf'$told = print $told ({key}) "\n"'),
        when("or $new (not (or .Labels.attribute .Labels.source))", text),
    )
    return each(alerts, "".join(steps))
