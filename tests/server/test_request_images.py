"""Forms and bodies over real sockets: whose rows are whose, and what is refused before it costs anything."""

import json
from pathlib import Path

import pytest

from tests.server.served_api import Api, picture, served

Part = tuple[str, str | None, bytes]
"""A field's name, its file's name if it is one, and its content."""


def form(*parts: Part, end: bytes = b"--edge--\r\n") -> bytes:
    body = b""
    for name, file, content in parts:
        named = f'; filename="{file}"' if file is not None else ""
        body += f'--edge\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode() + content + b"\r\n"
    return body + end


HEADERS = {"Content-Type": "multipart/form-data; boundary=edge"}


def test_several_images_of_a_form(tmp_path: Path) -> None:
    with served(tmp_path, max_in_flight=8) as api:
        red, blue = picture((200, 0, 0)), picture((0, 0, 200))
        body = form(
            ("a", "rot.png", red), ("note", None, b"no file"), ("b", "größe.png", blue), ("c", "again.png", red)
        )
        status, text, _ = api.ask("POST", "/predict?source=door", body, HEADERS)
        answer = json.loads(text)
        assert status == 200
        assert answer["images"] == [
            {"name": "rot.png", "first": 0, "rows": 1},
            {"name": "größe.png", "first": 1, "rows": 1},
            {"name": "again.png", "first": 2, "rows": 1},
        ]
        hashes = [row["image_sha256"] for row in answer["predictions"]]
        assert hashes[0] == hashes[2] != hashes[1]
        assert {row["source"] for row in answer["predictions"]} == {"door"}
        assert sum(batch.rows.num_rows for batch in api.logged) == 3, "the same image twice is two predictions"
        assert sum(len(batch.latencies) for batch in api.logged) <= 2, "and one computation"
        assert api.requests("/predict") == {"200": 1}


def test_one_image_of_a_form_is_answered_as_a_body_is(api: Api) -> None:
    answer = json.loads(api.ask("POST", "/predict", form(("a", "x.png", picture())), HEADERS)[1])
    assert answer.keys() == {"predictions"}


def test_a_bad_image_among_good_ones_is_a_row_with_an_error(api: Api) -> None:
    body = form(("a", "good.png", picture()), ("b", "bad.png", b"no picture"))
    status, text, _ = api.ask("POST", "/predict", body, HEADERS)
    assert status == 200
    assert [row["error"] for row in json.loads(text)["predictions"]] == [None, "unreadable"]
    both = form(("a", "one.png", b"nothing"), ("b", "two.png", b"nor this"))
    assert api.refusal("POST", "/predict", both, HEADERS) == (422, "unreadable")


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (form(("a", "x.png", b"")), "multipart/form-data; boundary=edge", (400, "bad_request")),
        (form(("a", None, b"text")), "multipart/form-data; boundary=edge", (400, "bad_request")),
        (form(("a", "x.png", picture()), end=b""), "multipart/form-data; boundary=edge", (400, "bad_request")),
        (form(("a", "x.png", picture())), "multipart/form-data", (400, "bad_request")),
        (b"no form at all", "multipart/form-data; boundary=edge", (400, "bad_request")),
        (form(*((f"n{n}", "x.png", picture()) for n in range(4))), "multipart/form-data; boundary=edge",
         (413, "too_large")),
        (form(("a", "x.png", b"x" * 200_000)), "multipart/form-data; boundary=edge", (413, "too_large")),
        (form(("a" * 9000, "x.png", picture())), "multipart/form-data; boundary=edge", (413, "too_large")),
    ],
)  # fmt: skip
def test_forms_that_are_refused(api: Api, body: bytes, kind: str, expected: tuple[int, str]) -> None:
    headers = {"Content-Type": kind}
    assert api.refusal("POST", "/predict", body, headers) == expected
    pieces = (body[start : start + 1000] for start in range(0, len(body), 1000))
    assert api.refusal("POST", "/predict", pieces, headers, encode_chunked=True) == expected
    assert api.logged == []
    assert api.ask("POST", "/predict", picture())[0] == 200


def test_every_image_of_a_form_is_in_flight(tmp_path: Path) -> None:
    with served(tmp_path, max_in_flight=3) as api:
        body = form(*((f"n{n}", "x.png", picture((n, 0, 0))) for n in range(3)))
        assert api.ask("POST", "/predict", body, HEADERS)[0] == 200
        assert api.ask("POST", "/predict", body, HEADERS)[0] == 200, "all were let go of"
