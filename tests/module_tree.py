"""The modules of facemon, what they import and which names they have, read from their syntax trees."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "facemon"
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


@cache
def source_of(module: str) -> str:
    return (PACKAGE / module).read_text()


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(source_of(module))


@cache
def nodes_of(module: str) -> list[ast.AST]:
    return list(ast.walk(tree_of(module)))


@cache
def imports(module: str) -> list[tuple[str, int]]:
    """Each name that is imported anywhere in a module, also in functions and for types alone, with its line."""
    return list(_imported(module))


def _imported(module: str) -> Iterator[tuple[str, int]]:
    for node in nodes_of(module):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name, node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node.lineno
            for name in node.names:
                yield f"{node.module}.{name.name}", node.lineno


@cache
def module_of(name: str) -> str | None:
    """The module that has a full name, such as facemon.store.runs; None where it is something else."""
    if name == "facemon":
        return "__init__.py"
    path = name.removeprefix("facemon.").replace(".", "/")
    found = (f"{path}.py", f"{path}/__init__.py") if name.startswith("facemon.") else ()
    return next((each for each in found if each in set(MODULES)), None)


@cache
def modules_imported(module: str) -> frozenset[str]:
    """The modules that a module takes something of; packages count where the name is one of their own."""
    found = set()
    for node in nodes_of(module):
        if isinstance(node, ast.Import):
            found |= {module_of(name.name) for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {module_of(f"{node.module}.{name.name}") or module_of(node.module) for name in node.names}
    return frozenset(found - {None})  # type: ignore[arg-type]


def circles(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """The groups of two or more nodes of which each leads to all others, and nodes that lead to themselves (Tarjan)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        number[node] = lowest[node] = len(number)
        open_.append(node)
        for next_ in graph[node]:
            if next_ not in number:
                visit(next_)
                lowest[node] = min(lowest[node], lowest[next_])
            elif next_ in open_:
                lowest[node] = min(lowest[node], number[next_])
        if lowest[node] == number[node]:
            group = open_[open_.index(node) :]
            del open_[open_.index(node) :]
            if len(group) > 1 or node in graph[node]:
                found.append(sorted(group))

    for node in graph:
        if node not in number:
            visit(node)
    return found


def room_of(module: str) -> str:
    return module.split("/", maxsplit=1)[0].removesuffix(".py")
