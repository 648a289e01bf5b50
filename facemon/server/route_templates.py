"""Which route a request took, as the template of its path: read from what Starlette and FastAPI leave in the scope."""

from collections.abc import Iterable, Iterator
from typing import Any

from facemon.domain.request_outcome import UNMATCHED
from facemon.server.asgi import Scope


def template_of(scope: Scope) -> str:
    """The template of the route that a request took, with those of the mounts that led to it.

    A mounted application without routes, such as one that serves files, counts as the path that it is mounted on.
    """
    template = getattr(_left_route(scope), "path", None)
    if isinstance(template, str) and "app_root_path" not in scope:
        return template
    # A mount leaves the path that was asked for, not its template; a middleware that copies the scope leaves nothing;
    # a Starlette of another version no route. The routes themselves know.
    routes = getattr(scope.get("router", scope.get("app")), "routes", ())
    root = scope.get("app_root_path", scope.get("root_path", ""))
    return _taken(routes, {**scope, "root_path": root}) or UNMATCHED


def declares(application: object, path: str) -> bool:
    """Whether an application answers GET on this path by a route of its own; one that takes any path is none.

    An application that keeps no `routes`, and is no middleware around one that does, declares nothing.
    """
    while not hasattr(application, "routes") and hasattr(application, "app"):
        application = application.app
    return _has(getattr(application, "routes", ()), path)


def _left_route(scope: Scope) -> Any:
    """The route as its framework left it.

    FastAPI leaves a route of an included router as it is there, without the prefix, and the whole of it beside.
    """
    route, beside = scope.get("route"), scope.get("fastapi")
    included = beside.get("effective_route_context") if isinstance(beside, dict) else None
    return included if included is not None and included.original_route is route else route


def _flat(routes: Iterable[Any]) -> Iterator[Any]:
    """Routes, those of the routers that FastAPI includes with their whole path."""
    for route in routes:
        if (included := getattr(route, "effective_route_contexts", None)) is None:
            yield route
        else:
            for context in included():
                yield context.starlette_route or context


def _taken(routes: Iterable[Any], scope: Scope) -> str | None:
    """The template that a router would choose: the first that fits, else the first that fits but for its method."""
    for_other_methods = None
    for route in _flat(routes):
        match, below = route.matches(scope)
        template = getattr(route, "path", "")
        if match.name == "FULL":
            if not (inner := getattr(route, "routes", None)):
                return template or "/"
            rest = _taken(inner, {**scope, **below})
            return None if rest is None else f"{template}{rest}"
        if match.name == "PARTIAL" and for_other_methods is None:
            for_other_methods = template
    return for_other_methods


def _has(routes: Iterable[Any], path: str) -> bool:
    for route in _flat(routes):
        template = getattr(route, "path", None)
        if not isinstance(template, str):
            continue
        if template == path and "GET" in (getattr(route, "methods", None) or ("GET",)):
            return True
        if path.startswith(template) and _has(getattr(route, "routes", None) or (), path.removeprefix(template)):
            return True
    return False
