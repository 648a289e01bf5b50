"""Forms and bodies over real sockets: which images a request brings, and what is refused before it costs anything."""

import hashlib
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.patience import HANG_S
from tests.server.raw_requests import BOUNDARY, FORM, connected, form, read_answer, request
from tests.server.served_api import Api, picture, served

RED, GREEN, BLUE = picture((250, 0, 0)), picture((0, 250, 0)), picture((0, 0, 250))
BAD = b"no picture"


@pytest.fixture
def roomy(tmp_path: Path) -> Iterator[Api]:
    with served(tmp_path, max_in_flight=4) as api:
        yield api
        assert api.reported == []


def send(api: Api, *parts: tuple[str, str | None, bytes], end: bytes = b"--\r\n") -> tuple[int, dict[str, Any]]:
    status, text, _ = api.ask("POST", "/predict?source=gate", form(*parts, end=end), FORM)
    return status, json.loads(text)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_form_of_one_image_is_answered_like_a_body(roomy: Api) -> None:
    status, document = send(roomy, ("image", "face.png", RED))
    assert (status, set(document)) == (200, {"predictions"})
    (row,) = document["predictions"]
    assert (row["image_sha256"], row["source"], row["error"]) == (sha256(RED), "gate", None)


def test_of_several_images_it_is_said_which_rows_are_whose(roomy: Api) -> None:
    parts = [("a", "red.png", RED), ("b", "green.png", GREEN), ("c", "blue.png", BLUE)]
    status, document = send(roomy, *parts)
    assert status == 200
    assert document["images"] == [
        {"name": "red.png", "first": 0, "rows": 1},
        {"name": "green.png", "first": 1, "rows": 1},
        {"name": "blue.png", "first": 2, "rows": 1},
    ]
    assert [row["image_sha256"] for row in document["predictions"]] == [sha256(each) for each in (RED, GREEN, BLUE)]
    glasses = [row["attributes"]["glasses"]["label"] for row in document["predictions"]]
    assert (glasses[0], glasses[2]) == ("yes", "no"), "each has an answer of its own"
    logged = sorted(sha for batch in roomy.logged for sha in batch.rows["image_sha256"].to_pylist())
    assert logged == sorted(map(sha256, (RED, GREEN, BLUE)))
    assert roomy.requests("/predict") == {"200": 1}


def test_one_bad_image_among_several_is_a_row_with_its_error(roomy: Api) -> None:
    status, document = send(roomy, ("a", "red.png", RED), ("b", "bad", BAD), ("c", "blue.png", BLUE))
    assert status == 200
    assert [row["error"] for row in document["predictions"]] == [None, "unreadable", None]
    bad = document["images"][1]
    assert document["predictions"][bad["first"]]["image_sha256"] == sha256(BAD)
    assert document["predictions"][bad["first"]]["error_message"]


def test_a_form_without_one_good_image_is_refused(roomy: Api) -> None:
    status, document = send(roomy, ("a", "1", BAD), ("b", "2", b"neither"))
    assert (status, document["error"]) == (422, "unreadable")
    assert document["message"]
    huge = picture(size=(200, 200))
    assert send(roomy, ("a", "1", huge), ("b", "2", BAD))[0] == 413
    assert sum(len(batch.ordinals) for batch in roomy.logged) == 4, "each was looked at"


def test_the_same_image_twice_in_a_form_is_two_predictions_of_one_inference(roomy: Api) -> None:
    status, document = send(roomy, ("a", "one", RED), ("b", "two", RED), ("c", "other", BLUE), ("d", "three", RED))
    assert status == 200
    assert [row["image_sha256"] for row in document["predictions"]] == [sha256(each) for each in (RED, RED, BLUE, RED)]
    assert [image["name"] for image in document["images"]] == ["one", "two", "other", "three"]
    logged = [sha for batch in roomy.logged for sha in batch.rows["image_sha256"].to_pylist()]
    assert (logged.count(sha256(RED)), logged.count(sha256(BLUE))) == (3, 1)
    assert {source for batch in roomy.logged for source in batch.rows["source"].to_pylist()} == {"gate"}


def test_fields_that_are_no_files_are_no_images(roomy: Api) -> None:
    assert send(roomy, ("note", None, b"hello"), ("a", "red.png", RED), ("token", None, b"x"))[0] == 200
    status, document = send(roomy, ("note", None, b"hello"), ("image", None, RED))
    assert (status, document["message"]) == (400, "the form has no file: curl -F image=@face.jpg sends one")


@pytest.mark.parametrize("filename", ["", "empty.png"])
@pytest.mark.parametrize("name", ["", "picture"])
def test_an_empty_file_is_refused_by_name(roomy: Api, name: str, filename: str) -> None:
    """A browser sends an empty file without a name when nothing was chosen."""
    status, document = send(roomy, ("a", "red.png", RED), (name, filename, b""))
    assert (status, document["message"]) == (400, f"the file {filename or name!r} is empty")


def test_a_name_may_be_of_any_letters(roomy: Api) -> None:
    names = ["Gesicht ÄÖ.png", "顔.png", "emoji 🙂.png", 'a "quoted" %name%.png', "no\\path/../here.png"]
    written = [name.replace('"', "%22") for name in names]
    for name, sent in zip(names, written, strict=True):
        status, document = send(roomy, ("a", sent, RED), ("b", "other", BLUE))
        assert status == 200
        assert document["images"][0]["name"] == name
    status, text, _ = roomy.ask("POST", "/predict", form(("a", "é.png", RED)).replace("é".encode(), b"\xe9"), FORM)
    assert (status, json.loads(text)["error"]) == (400, "bad_request")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", form(("a", "a", RED))),
        ("multipart/form-data; boundary=", form(("a", "a", RED))),
        ("multipart/form-data; boundary=another", form(("a", "a", RED))),
        (f"multipart/form-data; boundary={'b' * 2000}", form(("a", "a", RED))),
        (FORM["Content-Type"], b""),
        (FORM["Content-Type"], form(("a", "a", RED), end=b"")),
        (FORM["Content-Type"], form(("a", "a", RED))[:60]),
        (FORM["Content-Type"], form(("a", "a", RED)).replace(b"Content-Disposition: form-data", b"X-Nothing: x")),
        (FORM["Content-Type"], form(("a", "a", RED)).replace(b"\r\n", b"\n")),
        (FORM["Content-Type"], f"--{BOUNDARY}--\r\n".encode()),
        (FORM["Content-Type"], b"\x00" * 5000),
    ],
    ids=["none", "empty", "other", "long", "nothing", "cut", "half", "headless", "newlines", "no part", "zeros"],
)
def test_a_form_that_cannot_be_read_is_refused(roomy: Api, kind: str, body: bytes) -> None:
    assert roomy.refusal("POST", "/predict", body, {"Content-Type": kind}) == (400, "bad_request")
    assert roomy.logged == []


@pytest.mark.parametrize("extra", [0, 1])
def test_more_parts_than_may_be_in_flight_are_refused(roomy: Api, extra: int) -> None:
    images = [(f"n{number}", f"{number}.png", picture((number, 0, 0))) for number in range(4 + extra)]
    status, document = send(roomy, *images)
    assert status == (413 if extra else 200)
    if extra:
        assert "more than 4 parts" in document["message"]
        assert roomy.logged == []
    assert send(roomy, *images[:4])[0] == 200, "all that was taken is given back"


def test_a_body_that_has_not_arrived_takes_no_room_from_a_form(tmp_path: Path) -> None:
    with served(tmp_path, max_in_flight=4, timeout=timedelta(seconds=HANG_S)) as api, connected(api.port) as half:
        half.sendall(request("POST", "/predict", "Content-Length: 1000") + b"x")
        images = [(f"n{number}", f"{number}.png", picture((number, 0, 0))) for number in range(4)]
        assert [send(api, *images)[0] for _ in range(5)] == [200] * 5


def test_a_part_with_too_long_a_head_is_refused(roomy: Api) -> None:
    assert roomy.refusal("POST", "/predict", form(("a", "n" * 5000, RED)), FORM) == (413, "too_large")
    many = form(("a", "a", RED)).replace(b"\r\n\r\n", b"\r\n" + b"X-A: b\r\n" * 20 + b"\r\n", 1)
    assert roomy.refusal("POST", "/predict", many, FORM) == (413, "too_large")


def test_a_form_is_held_to_the_size_of_all_its_files(roomy: Api) -> None:
    body = form(("a", "a", b"x" * 60_000), ("b", "b", b"x" * 60_000))
    assert roomy.refusal("POST", "/predict", body, FORM) == (413, "too_large")
    pieces = (body[start : start + 7000] for start in range(0, len(body), 7000))
    assert roomy.refusal("POST", "/predict", pieces, FORM, encode_chunked=True) == (413, "too_large")
    assert roomy.logged == []


def test_where_a_form_is_cut_into_packets_is_of_no_interest(tmp_path: Path) -> None:
    body = form(("a", "red.png", RED), ("b", "blue.png", BLUE))
    head = request("POST", "/predict", f"Content-Type: {FORM['Content-Type']}", f"Content-Length: {len(body)}")
    cuts = [
        1,
        3,
        len(BOUNDARY) + 2,
        body.index(RED) - 1,
        body.index(b"\r\n--", 10) + 5,
        *(len(body) - n for n in range(1, 6)),
    ]
    with served(tmp_path, max_in_flight=4, timeout=timedelta(seconds=5)) as api, connected(api.port) as client:
        for cut in cuts:
            client.sendall(head + body[:cut])
            time.sleep(0.02)
            client.sendall(body[cut:])
            status, answer = read_answer(client)
            assert status == 200, (cut - len(body), answer)
            assert len(json.loads(answer)["images"]) == 2


@pytest.mark.parametrize(
    "kind", ["", "image/png", "IMAGE/JPEG; q=1", "application/octet-stream", "application/x-www-form-urlencoded"]
)
def test_a_body_of_these_types_is_an_image(roomy: Api, kind: str) -> None:
    assert roomy.ask("POST", "/predict", RED, {"Content-Type": kind} if kind else {})[0] == 200
