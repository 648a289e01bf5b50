"""Templates of the routes of frameworks that are not installed here, by what they leave in a scope."""

from dataclasses import dataclass
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from facemon.server.route_templates import declares, template_of
from tests.monitor.own_apis import greet


@dataclass(frozen=True)
class Context:
    """What FastAPI 0.165 knows of a route in a router that it includes: the whole path stands in the context alone."""

    path: str
    original_route: Any = None
    starlette_route: Any = None

    def matches(self, scope: dict[str, Any]) -> Any:
        return Route(self.path, greet).matches(scope)


class Included:
    """A router that FastAPI includes: a route without a path, which takes whatever one of its routes takes."""

    def __init__(self, *contexts: Context) -> None:
        self._contexts = contexts

    def effective_route_contexts(self) -> tuple[Context, ...]:
        return self._contexts


def asked(path: str, **left: Any) -> dict[str, Any]:
    return {"type": "http", "method": "GET", "path": path, "headers": [], **left}


def routed(*routes: Any) -> Starlette:
    application = Starlette()
    application.router.routes = list(routes)
    return application


def test_a_route_of_an_included_router() -> None:
    short = Route("/{id}", greet)
    context = Context("/v1/{id}", short)
    left = {"effective_route_context": context, "included_router": None}
    assert template_of(asked("/v1/3", route=short, fastapi=left)) == "/v1/{id}"
    other = Route("/other", greet)
    assert template_of(asked("/other", route=other, fastapi=left)) == "/other", "of a request before, in a mount"
    assert template_of(asked("/other", route=other, fastapi={})) == "/other"


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/sub/7/v1/3", "/sub/{tenant}/v1/{id}"),
        ("/sub/7/files/a", "/sub/{tenant}/files"),
        ("/sub/7/last", "/sub/{tenant}/last"),
        ("/sub/7/none", "unmatched"),
    ],
)
def test_an_included_router_in_a_mount(path: str, template: str) -> None:
    files = Context("/files", starlette_route=Mount("/files", app=greet))
    inner = routed(Included(Context("/v1/{id}"), files), Route("/last", greet))
    outer = routed(Mount("/sub/{tenant}", app=inner))
    left = {"app_root_path": "", "root_path": "/sub/7", "router": outer.router, "fastapi": {"included_router": 1}}
    assert template_of(asked(path, **left)) == template


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        (Route("/metrics", greet), True),
        (Route("/metrics", lambda _: None, methods=["POST"]), False),
        (Route("/{any}", greet), False),
        (Mount("/", app=greet), False),
        (Mount("", routes=[Route("/metrics", greet)]), True),
        (Included(Context("/v1/x"), Context("/metrics")), True),
        (Included(Context("/v1/metrics")), False),
    ],
)
def test_which_routes_declare_a_path(route: Any, expected: bool) -> None:
    assert declares(routed(route), "/metrics") is expected
    assert not declares(greet, "/metrics")
