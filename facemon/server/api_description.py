"""The API's own description: OpenAPI for programs, and a page without a script for people."""

from collections.abc import Iterator
from html import escape
from typing import Any

from facemon.config.serving import ApiConfig
from facemon.server.answer_schemas import Error, Predictions, answer_schemas, schema_reference
from facemon.version import __version__

CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
Document = dict[str, Any]
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "code,pre{font:14px/1.4 ui-monospace,monospace;background:#f4f4f4}pre{padding:.7rem;overflow:auto}"
    "table{border-collapse:collapse}td{padding:.15rem 1rem .15rem 0;vertical-align:top}h2{margin-top:2rem}"
)


def describe_api(config: ApiConfig, *, asks_for_token: bool) -> Document:
    """The API as an OpenAPI 3.1 document."""
    predict: Document = {
        "tags": ["Predictions"],
        "summary": "Predict the attributes of one image or several",
        "description": (
            f"The body is one image, or a form with up to {config.max_in_flight} images as files; "
            f"at most {config.max_body} bytes, and {config.max_pixels} pixels an image. "
            f"Formats: {', '.join(config.formats)}. Every prediction is logged."
        ),
        "parameters": [{
            "name": "source", "in": "query", "schema": {"type": "string", "maxLength": 200},
            "description": "Which camera or client the images come from; of too many names, `other` is logged.",
        }],
        "requestBody": {"required": True, "content": {
            "image/*": {"schema": {"type": "string", "format": "binary"}},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {"schema": {
                "type": "object", "additionalProperties": {"type": "string", "format": "binary"}}},
        }},
        "responses": {
            "200": {"description": "The predictions, one object for each face.", "content": {
                "application/json": {"schema": schema_reference(Predictions)}}},
            **{code: _error(why) for code, why in _REFUSALS.items() if asks_for_token or code != "401"},
        },
    }  # fmt: skip
    if asks_for_token:
        predict["security"] = [{"token": []}]
    schemes = {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}} if asks_for_token else {}
    return {
        "openapi": "3.1.0",
        "info": {"title": "facemon", "version": __version__, "description": "Face attributes of images."},
        "paths": {
            "/predict": {"post": predict},
            "/health": {"get": _text("Whether the process is alive", "It is.")},
            "/ready": {"get": _text("Whether requests should be sent here", "They should.") | {"responses": {
                "200": {"description": "They should; the body says if predictions cannot be logged yet."},
                "503": {"description": "They should not: the body says why."}}}},
            "/metrics": {"get": _text("All metrics, for Prometheus", "The text format, or OpenMetrics if asked for.")},
        },
        "components": {"schemas": answer_schemas()} | schemes,
    }  # fmt: skip


def description_page(document: Document) -> str:
    """The description as a page of HTML, which loads nothing from anywhere."""
    return "".join(_page(document))


def _page(document: Document) -> Iterator[str]:
    info = document["info"]
    yield f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(info['title'])}</title>"
    yield f"<style>{_STYLE}</style><h1>{escape(info['title'])} {escape(info['version'])}</h1>"
    yield f"<p>{escape(info['description'])} For programs: <a href=openapi.json>openapi.json</a></p>"
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield f"<h2><code>{method.upper()} {escape(path)}</code></h2><p>{escape(operation['summary'])}.</p>"
            if "description" in operation:
                yield f"<p>{escape(operation['description'])}</p>"
            for parameter in operation.get("parameters", ()):
                yield f"<p><code>?{escape(parameter['name'])}=</code> {escape(parameter['description'])}</p>"
            yield "<table>"
            for code, response in operation["responses"].items():
                yield f"<tr><td><code>{code}</code><td>{escape(response['description'])}"
            yield "</table>"
            if path == "/predict":
                token = " -H 'Authorization: Bearer …'" if "security" in operation else ""
                yield f"<pre>curl --data-binary @face.jpg{token} 'http://HOST:PORT/predict?source=door'\n"
                yield f"curl -F a=@one.jpg -F b=@two.jpg{token} http://HOST:PORT/predict</pre>"


def _error(why: str) -> Document:
    return {
        "description": why,
        "content": {"application/json": {"schema": schema_reference(Error)}},
    }


def _text(summary: str, answer: str) -> Document:
    return {
        "tags": ["Monitoring"],
        "summary": summary,
        "responses": {"200": {"description": answer, "content": {"text/plain": {}}}},
    }


_REFUSALS = {
    "400": "No image came, the form cannot be read, or the source is not a name.",
    "401": "No token, or an unknown one.",
    "403": "A browser sent this for a page of another site, or the host is not one of this server.",
    "408": "The body took too long to arrive, or came too slowly.",
    "413": "The body or an image is too large.",
    "415": "The body is neither an image nor a form, or it or a file of the form is compressed or in base64.",
    "422": "None of the images can be read, or be decoded in time; the message says why.",
    "500": "The model failed.",
    "503": "Too many images are being predicted; try again after Retry-After seconds.",
}
