"""The layers of docs/architecture.md, read from the syntax tree of every module."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "facemon"
LAYERS = (
    {"error_hints"},
    {
        "available_cores",
        "confined_file",
        "errors",
        "local_path",
        "message_socket",
        "no_telemetry",
        "printable",
        "regular_file",
    },
    {"forked_process"},
    {"fork_server"},
    {"config"},
    {"values"},
    {"tables"},
    {"store"},
    {"model", "predict", "evaluation", "drift", "reports", "metrics", "server", "render"},
    {"cli", "monitor"},
)
"""From the bottom up: a module may import from layers below its own, and from its own room."""

ONLY_HERE: dict[str, set[str] | str] = {
    "onnxruntime": {"model/sessions.py"},
    "evidently": {"drift/evidently_report.py"},
    "pandas": {"drift/evidently_report.py"},
    "dlib": {"model/dlib_faces.py"},
    "cv2": {"model/yunet_faces.py"},
    "rich": {"cli/console.py"},
    "scipy": {"drift/distribution_functions.py"},
    "promql_parser": {"render/lint/query_reading.py"},
    "sqlite3": "store/",
    "click": set(),
}
"""Which modules alone may import a library; a string means all modules below that folder."""

MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def imports(module: str) -> Iterator[tuple[str, int]]:
    tree = ast.parse((PACKAGE / module).read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name, node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node.lineno
            for name in node.names:
                yield f"{node.module}.{name.name}", node.lineno


def layer(room: str) -> int:
    return next(index for index, rooms in enumerate(LAYERS) if room in rooms)


def room_of(module: str) -> str:
    return module.split("/", maxsplit=1)[0].removesuffix(".py")


@pytest.mark.parametrize("module", [m for m in MODULES if room_of(m) not in ("__init__", "__main__")])
def test_imports_run_one_way(module: str) -> None:
    room = room_of(module)
    for name, line in imports(module):
        parts = name.split(".")
        if parts[0] != "facemon" or len(parts) == 1 or parts[1] in (room, "__version__"):
            continue
        assert layer(parts[1]) < layer(room), f"facemon/{module}:{line} imports {name}"


@pytest.mark.parametrize("library", ONLY_HERE)
def test_libraries_stay_in_their_file(library: str) -> None:
    allowed = ONLY_HERE[library]
    users = {module for module in MODULES for name, _ in imports(module) if name.split(".")[0] == library}
    if isinstance(allowed, str):
        assert all(user.startswith(allowed) for user in users)
    else:
        assert users <= allowed


def test_every_room_has_a_layer() -> None:
    rooms = {room_of(module) for module in MODULES} - {"__init__", "__main__"}
    assert rooms <= set().union(*LAYERS)


@pytest.mark.parametrize("module", MODULES)
def test_modules_say_what_they_decide(module: str) -> None:
    source = (PACKAGE / module).read_text()
    assert not source.strip() or ast.get_docstring(ast.parse(source)), f"facemon/{module} has no docstring"


@pytest.mark.parametrize("module", MODULES)
def test_modules_and_functions_stay_small(module: str) -> None:
    source = (PACKAGE / module).read_text()
    assert source.count("\n") <= 350, f"facemon/{module} has grown past 350 lines"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            assert lines <= 50, f"facemon/{module}:{node.lineno}: {node.name} has {lines} lines"
