"""What has a registry is known by it alone: no other module goes by the name of a kind or a finder."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from facemon.domain.kinds import registry as kinds
from facemon.finders import registry as finders
from tests.module_tree import MODULES, imports, nodes_of

KINDS = "domain/kinds/"


def test_attribute_kinds_are_known_by_the_registry_alone() -> None:
    """All else asks a kind what it says of itself, so that a kind is one file and a line of the registry."""
    assert {Path(name).stem for name in KINDS_THERE_ARE} == set(kinds.KINDS)
    others = [module for module in MODULES if not module.startswith(KINDS)]
    assert [fault for module in others for fault in known_kinds_in(module)] == []


KINDS_THERE_ARE = {each for each in MODULES if each.startswith(KINDS)} - {
    f"{KINDS}{name}.py" for name in ("__init__", "kind", "probabilities", "reading", "registry")
}


def known_kinds_in(module: str) -> Iterator[str]:
    files = {f"facemon.domain.kinds.{Path(name).stem}" for name in KINDS_THERE_ARE}
    yield from (f"facemon/{module}:{line} imports {name}" for name, line in imports(module) if name in files)
    for node in nodes_of(module):
        match node:
            case ast.Compare(left=ast.Attribute(value=ast.Name(id="column"))):
                continue  # a column is categorical or a number, whatever attribute it is of, if any
            case ast.Compare(left=ast.Attribute(attr="kind"), comparators=[compared]):
                constants = ast.walk(compared)
            case ast.Match(subject=ast.Attribute(attr="kind"), cases=cases):
                constants = (part for each in cases for part in ast.walk(each.pattern))
            case _:
                continue
        if named := {each.value for each in constants if isinstance(each, ast.Constant)} & set(kinds.KINDS):
            yield f"facemon/{module}:{node.lineno} knows the kind {', '.join(map(str, named))}"


FINDERS = "finders/"
OF_A_FINDER = {"model/dlib_faces.py", "model/onnx_faces.py", "model/yunet_faces.py"}
"""What the file of one finder loads: they may name that finder."""
ORDINARY_WORDS = {"manifest", "none", "onnx"}
"""Names of finders that mean other things too, and so count only where a text has just spoken of a finder."""


def test_finders_are_known_by_the_registry_alone() -> None:
    """All else asks a finder what it says of itself, so that a finder is one file and a line of the registry."""
    assert {Path(name).stem for name in FINDERS_THERE_ARE} == set(finders.FINDERS)
    others = [module for module in MODULES if not module.startswith(FINDERS)]
    assert [fault for module in others for fault in known_finders_in(module)] == []


FINDERS_THERE_ARE = {each for each in MODULES if each.startswith(FINDERS)} - {
    f"{FINDERS}{name}.py" for name in ("__init__", "finder", "registry")
}


def known_finders_in(module: str) -> Iterator[str]:
    files = {f"facemon.finders.{Path(name).stem}" for name in FINDERS_THERE_ARE}
    loaded = {f"facemon.{name.removesuffix('.py').replace('/', '.')}" for name in OF_A_FINDER}
    yield from (f"facemon/{module}:{line} imports {name}" for name, line in imports(module) if name in files | loaded)
    if module in OF_A_FINDER:
        return
    docstrings = {node.value for node in nodes_of(module) if isinstance(node, ast.Expr)}
    for node in nodes_of(module):
        match node:
            case ast.Constant(value=str(text)) if node not in docstrings:
                behind = text.partition("finder")[2]
                named = words_of(text) - ORDINARY_WORDS | words_of(behind)
            case ast.Compare() if speaks_of_a_finder(node):
                named = constants_in(node)
            case ast.Match(subject=subject, cases=cases) if speaks_of_a_finder(subject):
                named = set().union(*(constants_in(each.pattern) for each in cases))
            case _:
                continue
        if named := named & set(finders.FINDERS):
            yield f"facemon/{module}:{node.lineno} knows the finder {', '.join(sorted(named))}"


def speaks_of_a_finder(expression: ast.AST) -> bool:
    for node in ast.walk(expression):
        match node:
            case ast.Attribute(attr="finder") | ast.Name(id="finder") | ast.Constant(value="finder"):
                return True
    return False


def words_of(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9_]+", text))


def constants_in(tree: ast.AST) -> set[str]:
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
