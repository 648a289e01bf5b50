"""The API's pages for browsers: where they are, what they may load, and the Swagger UI that another package brings."""

from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from facemon.server.asgi import Scope, header
from facemon.server.exposition_format import accepts_html
from facemon.server.page_files import FILES, PageFile, content_policy, page_files, read_page_file

_FILE_ROUTE = f"{FILES}{{file}}"
"""The path of all files of the pages, as their requests are counted."""
_SWAGGER_UI = "flask_swagger_ui"
"""A package that carries the files of Swagger UI; nothing of it is imported."""
_SWAGGER_FILES = ("swagger-ui-bundle.js", "swagger-ui.css")
_POLICY = content_policy(script_src="'self'", style_src="'self'", img_src="'self' blob: data:", connect_src="'self'")


def page_routes() -> list[Route]:
    """Return the routes of the page at / and of all files that pages load."""
    home = page_files()["predict.html"].with_policy(_POLICY)
    own = {name: file for name, file in page_files().items() if not name.endswith(".html")}

    async def answer_home(request: Request) -> Response:
        return file_response(home, request)

    async def answer_file(request: Request) -> Response:
        name = request.path_params["file"]
        return file_response(own.get(name) or (await _swagger_files())[name], request)

    known = {*own, *(_SWAGGER_FILES if _swagger_folder() else ())}
    return [
        _RouteWhere(lambda scope: accepts_html(header(scope, b"accept")), "/", answer_home),
        _RouteWhere(lambda scope: scope["path"].removeprefix(FILES) in known, _FILE_ROUTE, answer_file),
    ]


def swagger_page() -> PageFile | None:
    """Return the page of Swagger UI, or None where the package that carries it is not installed."""
    return page_files()["docs.html"].with_policy(_POLICY) if _swagger_folder() else None


def file_response(file: PageFile, request: Request) -> Response:
    """Return the answer to a request of a file."""
    status, content, headers = file.answer(header(request.scope, b"if-none-match"))
    return Response(content, status.value, headers)


class _RouteWhere(Route):
    """A route that GET and HEAD requests take under a condition; all others find nothing there, as without it."""

    def __init__(self, applies: Callable[[Scope], bool], path: str, endpoint: Callable[[Request], object]) -> None:
        super().__init__(path, endpoint)
        self._applies = applies

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        return (match, child) if match is Match.FULL and self._applies(scope) else (Match.NONE, {})


async def _swagger_files() -> Mapping[str, PageFile]:
    return await run_in_threadpool(_read_swagger_files)


@cache
def _read_swagger_files() -> Mapping[str, PageFile]:
    """Two megabytes, which are read when a browser asks for them."""
    folder = _swagger_folder()
    return {} if folder is None else {name: read_page_file(folder / name) for name in _SWAGGER_FILES}


@cache
def _swagger_folder() -> Path | None:
    spec = find_spec(_SWAGGER_UI)
    folders = [Path(place) / "dist" for place in (spec and spec.submodule_search_locations) or ()]
    return next((each for each in folders if all((each / name).is_file() for name in _SWAGGER_FILES)), None)
