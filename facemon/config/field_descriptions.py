"""The docstrings below the fields of a section, which Python itself does not keep."""

import ast
import inspect
import textwrap
from collections.abc import Mapping
from functools import cache
from itertools import pairwise

from pydantic import BaseModel


@cache
def field_descriptions(section: type[BaseModel]) -> Mapping[str, str]:
    """Return the docstring of each field that has one, by the field's name.

    They are read from the source of the class and of those that it inherits from, which takes milliseconds: pydantic's
    `use_attribute_docstrings` would do so for every command.
    """
    found: dict[str, str] = {}
    for cls in reversed([each for each in section.mro() if each.__module__.startswith("facemon.")]):
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
        body = tree.body if isinstance(tree, ast.ClassDef) else []
        for statement, after in pairwise(body):
            match statement, after:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    found[name] = inspect.cleandoc(text)
    return found
