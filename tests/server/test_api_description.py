"""The API's description: every reference leads somewhere, and its page loads nothing from anywhere."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from facemon.config.serving import ApiConfig
from facemon.domain.prediction import SCHEMA_NAME
from facemon.domain.request_outcome import EXPECTED_CODES
from facemon.server.answer_schemas import Error, Predictions
from facemon.server.api_description import describe_api, description_page
from tests.server.raw_requests import BOUNDARY, form
from tests.server.served_api import Api, picture, served


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


@pytest.mark.parametrize("asks_for_token", [False, True])
def test_every_reference_leads_somewhere(asks_for_token: bool) -> None:
    document = json.loads(json.dumps(describe_api(ApiConfig(), asks_for_token=asks_for_token)))
    found = list(references(document))
    assert len(found) > 5
    for reference in found:
        node = document
        for name in reference.removeprefix("#/").split("/"):
            node = node[name]
    schemes = [name for each in document["paths"]["/predict"]["post"].get("security", ()) for name in each]
    assert all(name in document["components"]["securitySchemes"] for name in schemes)
    assert bool(schemes) == asks_for_token
    expected = {str(code) for code in EXPECTED_CODES} - (set() if asks_for_token else {"401"})
    assert document["paths"]["/predict"]["post"]["responses"].keys() == expected


def test_every_operation_is_in_a_section_of_the_page() -> None:
    """Swagger UI calls the section of others `default`."""
    document = describe_api(ApiConfig(), asks_for_token=False)
    tags = {path: each["tags"] for path, operations in document["paths"].items() for each in operations.values()}
    assert tags.pop("/predict") == ["Predictions"]
    assert set(map(tuple, tags.values())) == {("Monitoring",)}


def test_it_describes_what_is_answered(api: Api) -> None:
    status, text, headers = api.ask("GET", "/openapi.json")
    document = json.loads(text)
    assert (status, headers["content-type"], document["openapi"]) == (200, "application/json", "3.1.0")
    schemas = document["components"]["schemas"]
    (row,) = json.loads(api.ask("POST", "/predict", picture())[1])["predictions"]
    assert row.keys() == schemas["Prediction"]["properties"].keys()
    refusal = json.loads(api.ask("POST", "/predict", b"no picture")[1])
    assert refusal.keys() == schemas["Error"]["properties"].keys()
    for path, operations in document["paths"].items():
        for method in operations:
            assert api.ask(method.upper(), path)[0] not in (404, 405)


@pytest.mark.parametrize("second", [picture((1, 2, 3)), b"no picture"], ids=["two images", "one of them damaged"])
def test_every_answer_has_the_types_that_describe_it(api: Api, second: bytes) -> None:
    """Strictly: JSON's own types, every key that the description requires, and each number within its limits."""
    several = form(("a", "a.png", picture()), ("b", "b.png", second))
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    code, text, _ = api.ask("POST", "/predict", several, kind)
    assert code == 200
    answer = Predictions.model_validate_json(text, strict=True)
    assert undescribed(json.loads(text), answer) == []
    assert [image.name for image in answer.images] == ["a.png", "b.png"]
    assert [row.error is None for row in answer.predictions] == [True, second != b"no picture"]
    for code, *request in ((422, "POST", "/predict", second[1:]), (404, "GET", "/nothing")):
        status, text, _ = api.ask(*request)
        assert status == code
        refusal = Error.model_validate_json(text, strict=True)
        assert refusal.request
        assert undescribed(json.loads(text), refusal) == []


def undescribed(sent: Any, read: Any) -> list[str]:
    """The keys of a document that the models which it was read into do not have."""
    match read:
        case BaseModel():
            fields = {field.alias or name: getattr(read, name) for name, field in type(read).model_fields.items()}
            inner = [key for name in fields.keys() & sent.keys() for key in undescribed(sent[name], fields[name])]
            return [*(sent.keys() - fields.keys()), *inner]
        case dict():
            return [key for name in sent for key in undescribed(sent[name], read[name])]
        case list():
            return [key for pair in zip(sent, read, strict=True) for key in undescribed(*pair)]
    return []


def test_a_key_that_no_model_describes_is_found() -> None:
    attribute = {"label": "male", "share": 1}
    row = {"schema": SCHEMA_NAME, "image_sha256": None, "face": 0, "attributes": {"gender": attribute}, "error": None}
    sent = {
        "predictions": [row | {"error_message": None, "mood": 1}],
        "images": [{"name": "a", "first": 0, "rows": 1, "size": 1}],
        "took": 1,
    }
    read = Predictions.model_validate_json(json.dumps(sent), strict=True)
    assert sorted(undescribed(sent, read)) == ["mood", "share", "size", "took"]


def test_its_page_loads_nothing(tmp_path: Path) -> None:
    with served(tmp_path, pages=False) as api:
        status, page, headers = api.ask("GET", "/docs")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert headers["content-security-policy"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert not re.search(r"<(script|img|link|iframe|base)\b|\bsrc=|@import|url\(", page, re.IGNORECASE)
    assert re.findall(r"href=\"?([^\s\">]+)", page) == ["openapi.json"]
    for path in ("/predict", "/health", "/ready", "/metrics"):
        assert f" {path}</code>" in page


def test_its_page_escapes_what_it_shows() -> None:
    document = describe_api(ApiConfig(), asks_for_token=True)
    document["info"]["description"] = "<script>alert(1)</script>"
    page = description_page(document)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "Authorization: Bearer" in page
