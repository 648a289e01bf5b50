"""Names without an underscore are for other modules; what other modules take has none; and what `facemon` offers."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import facemon
from tests.module_tree import MODULES, module_of, nodes_of, room_of, tree_of
from tests.public_names import FOR_TOOLS, LIMITS_OF_TESTS, LOADED_BY_NAME, STEPS_OF_TESTS

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign
ROOT = Path(__file__).parents[1]
LISTED = (LOADED_BY_NAME, FOR_TOOLS, LIMITS_OF_TESTS, STEPS_OF_TESTS)


@cache
def names_of(module: str) -> dict[str, Definition]:
    """The names that a module defines at its top level."""
    found: dict[str, Definition] = {}
    for node in top_level(tree_of(module).body):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found[node.name] = node
            case ast.Assign():
                targets = [each for target in node.targets for each in ast.walk(target)]
                found |= {each.id: node for each in targets if isinstance(each, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                found[name] = node
    return found


def top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        for part in ("body", "orelse") if isinstance(node, ast.If | ast.Try | ast.With) else ():
            yield from top_level(getattr(node, part, []))


@cache
def taken() -> dict[str, set[str]]:
    """By module, the names that other modules take of it."""
    found: dict[str, set[str]] = {module: set() for module in MODULES}
    for module in MODULES:
        for owner, name, _ in taken_by(module):
            found[owner].add(name)
    return found


def taken_by(module: str) -> Iterator[tuple[str, str, int]]:
    """What a module takes of others: by `from`, or as an attribute of a module that it imports."""
    modules: dict[str, str] = {}
    for node in nodes_of(module):
        if not isinstance(node, ast.ImportFrom) or not node.module or node.level:
            continue
        for alias in node.names:
            if (found := module_of(f"{node.module}.{alias.name}")) is not None:
                modules[alias.asname or alias.name] = found
            elif (owner := module_of(node.module)) is not None:
                yield owner, alias.name, node.lineno
    for node in nodes_of(module):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in modules:
                yield modules[name], attribute, node.lineno


def test_no_module_takes_a_private_name_of_another() -> None:
    faults = [
        f"facemon/{module}:{line} takes {name} of {owner}"
        for module in MODULES
        for owner, name, line in taken_by(module)
        if name.startswith("_") and not name.startswith("__")
    ]
    assert faults == []


def test_public_names_are_for_other_modules() -> None:
    """Used by another module, named in a signature that another module uses, a command, or listed with a reason."""
    listed = {(module, name) for table in LISTED for module, names in table.items() for name in names.split()}
    idle = {(module, name) for module in MODULES for name in public_names(module) - used_names(module)}
    assert sorted(f"{module}: {name}" for module, name in idle - listed) == [], "give them an underscore"
    assert sorted(f"{module}: {name}" for module, name in listed - idle) == [], "take them out of the list"


def public_names(module: str) -> set[str]:
    return {name for name in names_of(module) if not name.startswith("_")}


def used_names(module: str) -> set[str]:
    names = names_of(module)
    found = {name for name in names if name in taken()[module] or is_of_a_command(module, names[name])}
    unread = list(found)
    while unread:
        said = {name for name in said_by(names[unread.pop()]) if name in names} - found
        found |= said
        unread += said
    return found


def is_of_a_command(module: str, node: Definition) -> bool:
    """Whether Typer finds it: an application, or a function that is registered with one."""
    if room_of(module) != "cli":
        return False
    if isinstance(node, ast.FunctionDef):
        return bool(node.decorator_list)
    return isinstance(node, ast.Assign) and "Typer" in set(words_of(node.value))


def said_by(node: Definition) -> Iterator[str]:
    """The names in what others see of a definition: signatures, bases and fields, and what a value is made of."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield from words_of(node.args)
            if node.returns:
                yield from words_of(node.returns)
        case ast.ClassDef():
            for base in node.bases:
                yield from words_of(base)
            for part in node.body:
                if isinstance(part, ast.AnnAssign):
                    yield from words_of(part.annotation)
                elif isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and not is_private(part.name):
                    yield from said_by(part)
        case ast.Assign(value=value):
            yield from words_of(value)
        case ast.AnnAssign(annotation=annotation):
            yield from words_of(annotation)


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def words_of(tree: ast.AST) -> Iterator[str]:
    """The names in an expression, and in annotations that are texts."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                yield name
            case ast.Constant(value=str(text)):
                yield from re.findall(r"\w+", text)


def test_what_facemon_offers_is_what_its_page_describes() -> None:
    page = (ROOT / "docs" / "python.md").read_text()
    named = set(re.findall(r"\bfacemon\.(\w+)", page)) - {"yaml"}
    modules = {name for name in named if module_of(f"facemon.{name}") is not None}
    assert modules == {"errors"}
    assert named - modules - set(facemon.__all__) == set(), "described, and not there"
    assert set(facemon.__all__) - named == set(), "there, and not described"
    assert all(hasattr(facemon, name) for name in facemon.__all__)


def test_the_errors_that_the_page_names_are_there() -> None:
    page = (ROOT / "docs" / "python.md").read_text()
    assert set(re.findall(r"facemon\.errors\.(\w+)", page)) <= public_names("errors.py")
