"""A request that is not answered: the code, why, and what the sender should know."""

from typing import NoReturn

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from facemon.server.counted_requests import REQUEST_ID

CLIENT_GONE = 499
"""What nginx made the custom for a client that left before it was answered."""
_NAMES = {
    400: "bad_request", 401: "unauthorized", 404: "not_found", 405: "method_not_allowed", 408: "timeout",
    413: "too_large", 415: "unsupported_type", 422: "unreadable", CLIENT_GONE: "client_gone", 500: "failed",
    503: "busy",
}  # fmt: skip


def refuse(code: int, message: str, headers: dict[str, str] | None = None) -> NoReturn:
    """End the request here."""
    raise HTTPException(code, message, headers)


def refusal(request: Request, code: int, message: str, headers: object = None) -> Response:
    """The answer of a refused request."""
    given = dict(headers) if isinstance(headers, dict) else None
    request_id = request.scope[REQUEST_ID].decode()
    return JSONResponse({"error": _NAMES.get(code, "refused"), "message": message, "request": request_id}, code, given)
