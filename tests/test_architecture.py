"""The layers of docs/architecture.md, read from the syntax tree of every module."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.module_tree import MODULES, circles, imports, modules_imported, nodes_of, room_of, source_of

DOCS = Path(__file__).parents[1] / "docs"
LAYERS = (
    {"error_hints"},
    {
        "available_cores",
        "confined_file",
        "daemon_threads",
        "distribution_functions",
        "errors",
        "files",
        "local_path",
        "message_socket",
        "near_names",
        "no_telemetry",
        "pandas_gate",
        "printable",
        "regular_file",
        "unused_modules",
        "version",
    },
    {"blas_threads", "interruption", "standard_streams", "system_errors"},
    {"forked_process"},
    {"fork_server"},
    {"domain"},
    {"finders"},
    {"config"},
    {"object_storage", "tables"},
    {"store"},
    {"model", "predict", "engines", "schedulers", "evaluation", "drift", "metrics", "server", "render"},
    {"reports"},
    {"doctor"},
    {"application"},
    {"terminal"},
    {"cli", "monitor"},
)
"""From the bottom up: a module may import from layers below its own, and from its own room."""

LOADED_LATER: dict[str, set[str]] = {"finders": {"config", "model"}}
"""Rooms whose functions and annotations may import from rooms above: a finder's file says what the finder is when it is
imported, with the configuration; how it finds faces is loaded later, with the model."""

LEDGER_INTERFACE = {"protocol", "entries", "opening", "salvage"}
"""What modules outside of `store/ledger` may import of it: the protocol, how a ledger is opened, and what is left of a
damaged one."""


def layer(room: str) -> int:
    return next(index for index, rooms in enumerate(LAYERS) if room in rooms)


def test_imports_run_one_way() -> None:
    assert [fault for module in MODULES for fault in imports_from_above(module)] == []


def imports_from_above(module: str) -> Iterator[str]:
    room = room_of(module)
    if room in ("__init__", "__main__"):
        return
    for name, line in imports(module):
        parts = name.split(".")
        if parts[0] != "facemon" or len(parts) == 1 or parts[1] == room:
            continue
        if parts[1] in LOADED_LATER.get(room, ()) and line in lines_run_later(module):
            continue
        if layer(parts[1]) >= layer(room):
            yield f"facemon/{module}:{line} imports {name}"


@cache
def lines_run_later(module: str) -> set[int]:
    """The lines that importing a module does not run: of functions, and what is for the type checker alone."""
    found: set[int] = set()
    for node in nodes_of(module):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.If(test=ast.Name(id="TYPE_CHECKING")):
                found |= set(range(node.lineno, (node.end_lineno or 0) + 1))
    return found


LATER = {
    "model/faces.py": "a finder is declared below the configuration, and loads what follows the protocol beside `Face`",
}
"""By one of its modules, why a circle of imports that are not run together may stay."""


def test_no_module_leads_back_to_itself() -> None:
    """Inside a room as between rooms, whether an import is run with the module, in a function or for types alone."""
    found = circles({module: modules_imported(module) for module in MODULES})
    assert [circle for circle in found if not LATER.keys() & set(circle)] == []
    assert LATER.keys() <= {module for circle in found for module in circle}, "a circle is gone: take it out of LATER"


def test_a_circle_is_found() -> None:
    graph = {"a": ["b"], "b": ["c", "d"], "c": ["a"], "d": ["e"], "e": ["e"], "f": ["a", "e"]}
    assert sorted(circles(graph)) == [["a", "b", "c"], ["e"]]


def importers() -> dict[str, set[str]]:
    """What may import each library by the table of docs/dependencies.md: modules, and folders that end with a slash."""
    section = (DOCS / "dependencies.md").read_text().split("## What may import each\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\| (.*) \|$", section, re.MULTILINE)
    return {library: set(re.findall(r"`([^`]+)`", places)) for library, places in rows}


def test_libraries_are_imported_where_the_table_says() -> None:
    """SQLite is held to its folder too, though it comes with Python."""
    table = importers()
    own = sys.stdlib_module_names - table.keys() | {"facemon"}
    used = {(name.split(".")[0], module) for module in MODULES for name, _ in imports(module)}
    unlisted = sorted(f"facemon/{module} imports {name}" for name, module in used if name not in own | table.keys())
    assert unlisted == []
    assert [f"{m} imports {name}" for name, m in sorted(used) if name in table and not is_in(m, table[name])] == []


def test_each_place_of_the_table_imports_its_library() -> None:
    used = {(name.split(".")[0], module) for module in MODULES for name, _ in imports(module)}
    used |= {(name, module) for module in MODULES for name in loaded_by_name(module)}
    idle = [
        f"{library}: {place}"
        for library, places in importers().items()
        for place in places or {"no place"}
        if not any(name == library and is_in(module, {place}) for name, module in used)
    ]
    assert idle == []


def is_in(module: str, places: set[str]) -> bool:
    return any(module == place or (place.endswith("/") and module.startswith(place)) for place in places)


def loaded_by_name(module: str) -> set[str]:
    """The libraries that a module with importlib names in texts."""
    if not any(name.split(".")[0] == "importlib" for name, _ in imports(module)):
        return set()
    texts = {node.value for node in nodes_of(module) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text.split(".")[0] for text in texts if re.fullmatch(r"[a-z_]+(\.[a-z_]+)*", text)}


def test_the_command_line_only_asks_and_prints() -> None:
    """Commands go by use cases, whose answers reports turn into text; they reach past both for no room of features.

    A command takes about 70 lines, most of them its options with their help and completion: there are 34 of them.
    """
    modules = [module for module in MODULES if room_of(module) == "cli"]
    assert sum(source_of(module).count("\n") for module in modules) < 2_300
    features = LAYERS[layer("model")] | {"store", "tables"}
    past = [
        f"facemon/{m}:{line} imports {name}" for m in modules for name, line in imports(m) if room_in(name) in features
    ]
    assert past == []


def room_in(imported_name: str) -> str:
    """The room of a name that is imported from facemon; empty for others."""
    package, _, rest = imported_name.partition(".")
    return rest.partition(".")[0] if package == "facemon" else ""


def test_only_the_ledger_speaks_sql() -> None:
    """All else goes by the protocol, so that another ledger is a room of its own."""
    outside = [module for module in MODULES if not module.startswith("store/ledger/")]
    assert [fault for module in outside for fault in what_it_takes_of_the_ledger(module)] == []


def what_it_takes_of_the_ledger(module: str) -> Iterator[str]:
    for name, line in imports(module):
        parts = name.split(".")
        if parts[:3] == ["facemon", "store", "ledger"] and len(parts) > 3 and parts[3] not in LEDGER_INTERFACE:
            yield f"facemon/{module}:{line} imports {name}"
    for node in nodes_of(module):
        match node:
            case ast.Call(func=ast.Attribute(attr="execute" | "executemany" | "executescript")):
                yield f"facemon/{module}:{node.lineno} executes a statement"


@pytest.mark.parametrize("module", ["protocol", "entries", "delivery_entries"])
def test_the_protocol_knows_nothing_of_what_keeps_a_ledger(module: str) -> None:
    own = {
        name.split(".")[3]
        for name, _ in imports(f"store/ledger/{module}.py")
        if name.startswith("facemon.store.ledger.")
    }
    assert own <= {"protocol", "entries", "delivery_entries"}


OPENED_BY = {
    "facemon.model.sessions": {"model/graph_files.py"},
    "facemon.model.graph_files": {"model/bundle.py", "model/onnx_faces.py", "application/first_configuration.py"},
    "facemon.model.onnx_format": {"model/external_weights.py", "model/subnormal_weights.py", "model/zip_maps.py"},
}
"""What opens graphs and what knows the bytes of their files, each with the modules that alone may go by it."""


@pytest.mark.parametrize("module", OPENED_BY)
def test_graphs_are_opened_in_one_place_and_their_format_is_known_in_one(module: str) -> None:
    """So another runtime is a module and a line of `model/graph_files.py`."""
    assert {user for user in MODULES for name, _ in imports(user) if name == module} == OPENED_BY[module]


def test_only_the_factory_opens_models() -> None:
    """A model is opened where its factory is called, so that an engine decides where that is."""
    openers = {
        module
        for module in MODULES
        for node in nodes_of(module)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Predictor", "load_bundle")
    }
    assert openers == {"model/factory.py", "model/predictor.py"}


def test_only_the_registry_knows_which_engines_exist() -> None:
    """All else goes by the protocol of an engine; only the API forks workers of its own, as `processes` does."""
    own = {f"facemon.engines.{name}" for name in ("inline", "processes")}
    users = {
        (module, name)
        for module in MODULES
        for name, _ in imports(module)
        if name in own and not module.startswith("engines/")
    }
    assert users == {("application/running_api.py", "facemon.engines.processes")}


def test_use_cases_print_nothing() -> None:
    """A use case answers and tells its reporter, so that a command and a program may both call it."""
    modules = [module for module in MODULES if room_of(module) == "application"]
    assert modules
    assert [fault for module in modules for fault in printing_in(module)] == []


def printing_in(module: str) -> Iterator[str]:
    for name, line in imports(module):
        if name.split(".")[0] in ("typer", "rich", "argparse"):
            yield f"facemon/{module}:{line} imports {name}"
    for node in nodes_of(module):
        match node:
            case ast.Name(id="print" | "input") | ast.Attribute(value=ast.Name(id="sys"), attr="stdout" | "stdin"):
                yield f"facemon/{module}:{node.lineno} reads or prints by itself"


def test_every_room_has_a_layer() -> None:
    rooms = {room_of(module) for module in MODULES} - {"__init__", "__main__"}
    assert rooms <= set().union(*LAYERS)


def test_modules_say_what_they_decide() -> None:
    silent = [m for m in MODULES if source_of(m).strip() and not ast.get_docstring(ast.parse(source_of(m)))]
    assert silent == []


def test_modules_and_functions_stay_small() -> None:
    assert [fault for module in MODULES for fault in what_is_too_long(module)] == []


def what_is_too_long(module: str) -> Iterator[str]:
    if (lines := source_of(module).count("\n")) > 350:
        yield f"facemon/{module} has {lines} lines"
    for node in nodes_of(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            if lines > 50:
                yield f"facemon/{module}:{node.lineno}: {node.name} has {lines} lines"
