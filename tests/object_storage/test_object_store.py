"""Buckets and objects as three protocols show them, and what each kind of trouble is called."""

import itertools
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from facemon.object_storage.location import parse_location
from facemon.object_storage.object_store import ObjectStore, ObjectStores, plain_etag
from facemon.object_storage.storage_error import StorageError, Trouble
from tests.metrics.gateways import gateway, write_certificate
from tests.object_storage.origin import MODIFIED, Fault, Origin, etag
from tests.object_storage.reached_storage import reached_origin

PHOTOS = {f"a/{number:02}.jpg": bytes([number]) * (100 + number) for number in range(30)}
SECRET = "hunter2"


@pytest.fixture
def origin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Origin]:
    with reached_origin(monkeypatch) as origin:
        origin.buckets["photos"] = dict(PHOTOS)
        yield origin


def store(address: str = "s3://photos") -> ObjectStore:
    return ObjectStores().of(parse_location(address))


def google_key(origin: Origin) -> dict[str, object]:
    """What a key file of Google's says that leads to the origin, and asks for no token."""
    return {
        "gcs_base_url": origin.url, "disable_oauth": True, "client_email": "", "private_key": "", "private_key_id": "",
    }  # fmt: skip


@pytest.fixture(params=["s3", "gs", "az"])
def each_storage(
    request: pytest.FixtureRequest, origin: Origin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> str:
    """The address of the bucket in turn of each storage, whose variables lead to the origin."""
    account = tmp_path / "google.json"
    account.write_text(json.dumps(google_key(origin)))
    more = {
        "GOOGLE_SERVICE_ACCOUNT": str(account), "GOOGLE_ALLOW_HTTP": "true", "AZURE_STORAGE_ACCOUNT_NAME": "tests",
        "AZURE_STORAGE_ACCOUNT_KEY": "bm90IGEgc2VjcmV0", "AZURE_STORAGE_ENDPOINT": origin.url,
        "AZURE_ALLOW_HTTP": "true",
    }  # fmt: skip
    for name, value in more.items():
        monkeypatch.setenv(name, value)
    return f"{request.param}://photos"


def test_each_storage_is_listed_and_read(each_storage: str, origin: Origin) -> None:
    origin.page_keys = 7
    photos = store(each_storage)
    found = list(photos.listed("a/"))
    assert [(entry.key, entry.size, entry.etag) for entry in found] == [
        (key, len(content), etag(content)) for key, content in PHOTOS.items()
    ]
    assert {entry.modified for entry in found} == {MODIFIED}
    opened = photos.opened("a/07.jpg")
    assert opened.entry == found[7]
    assert opened.read() == PHOTOS["a/07.jpg"]
    assert photos.entry("a/07.jpg") == found[7]
    assert photos.entry("a/none.jpg") is None
    assert list(photos.listed("b/")) == []


def test_a_listing_is_read_as_it_is_wanted(origin: Origin) -> None:
    origin.buckets["photos"] = {f"{number:05}.jpg": b"x" for number in range(3500)}
    listed = store().listed("")
    assert [entry.key for entry in itertools.islice(listed, 1000)][-1] == "00999.jpg"
    assert len(origin.asked) == 1
    assert len(list(listed)) == 2500
    assert len(origin.asked) == 4


def test_a_prefix_ends_at_a_slash(origin: Origin) -> None:
    origin.buckets["photos"] = {"a.jpg": b"", "a/b.jpg": b"", "ab.jpg": b"", "ab/c.jpg": b""}
    for prefix in ("a", "a/"):
        assert [entry.key for entry in store().listed(prefix)] == ["a/b.jpg"]


@pytest.mark.parametrize(
    "key",
    [
        "a b.jpg",
        "ä/é.jpg",
        "100%20.jpg",
        "a+b&c=d;e.jpg",
        "a?b#c.jpg",
        "a'b\"c`d.jpg",
        "[a]{b}(c)!*~|^.jpg",
        "a\\b.jpg",
    ],
)
def test_a_key_is_asked_for_as_it_is(key: str, origin: Origin) -> None:
    origin.buckets["photos"] = {key: b"content"}
    (entry,) = store().listed("")
    assert entry.key == key
    assert store().opened(key).read() == b"content"
    assert origin.asked[-1] == f"GET photos/{key}"


ASKED: dict[str, Callable[[ObjectStore], object]] = {
    "get": lambda photos: photos.opened("a/00.jpg").read(),
    "head": lambda photos: photos.entry("a/00.jpg"),
    "list": lambda photos: list(photos.listed("a/")),
}


def trouble_of(*, asks: str = "get") -> StorageError:
    with pytest.raises(StorageError) as caught:
        ASKED[asks](store())
    return caught.value


ANSWERS = [
    (Fault(403, "AccessDenied"), Trouble.DENIED),
    (Fault(401, "AccessDenied"), Trouble.DENIED),
    (Fault(403, "InvalidAccessKeyId"), Trouble.CREDENTIALS),
    (Fault(403, "SignatureDoesNotMatch"), Trouble.CREDENTIALS),
    (Fault(400, "ExpiredToken"), Trouble.CREDENTIALS),
    (Fault(404, "NoSuchBucket"), Trouble.NO_BUCKET),
    (Fault(301, "PermanentRedirect"), Trouble.SETTINGS),
    (Fault(400, "AuthorizationHeaderMalformed"), Trouble.SETTINGS),
    (Fault(403, "InvalidObjectState"), Trouble.OTHER),
    (Fault(503, "SlowDown"), Trouble.UNREACHABLE),
    (Fault(500, "InternalError"), Trouble.UNREACHABLE),
    (Fault(429, "TooManyRequests"), Trouble.UNREACHABLE),
    (Fault(418, "Teapot"), Trouble.OTHER),
    (Fault(sent=10), Trouble.CUT_OFF),
]


@pytest.mark.parametrize(("fault", "trouble"), ANSWERS, ids=[f"{f.status} {f.code}" for f, _ in ANSWERS])
@pytest.mark.parametrize("asks", ["get", "list"])
def test_each_answer_has_its_name(fault: Fault, trouble: Trouble, asks: str, origin: Origin) -> None:
    origin.faults = {"photos/a/00.jpg": fault, "photos": fault}
    error = trouble_of(asks=asks)
    assert error.trouble is trouble
    assert error.hint
    assert len(origin.asked) <= 4, "a request is made again at most three times"
    assert "made by the test" not in error.what


@pytest.mark.parametrize("fault", [Fault(403, "InvalidAccessKeyId"), Fault(301), Fault(503, "SlowDown")])
def test_a_head_says_what_a_body_would_say(fault: Fault, origin: Origin) -> None:
    """An answer to HEAD has no body with a code."""
    origin.faults["photos/a/00.jpg"] = fault
    assert trouble_of(asks="head").trouble is trouble_of(asks="get").trouble


def test_a_missing_object_a_missing_bucket_and_an_object_that_is_gone(origin: Origin) -> None:
    del origin.buckets["photos"]["a/00.jpg"]
    assert trouble_of().trouble is Trouble.MISSING
    del origin.buckets["photos"]
    assert trouble_of().trouble is Trouble.NO_BUCKET
    assert "there is no bucket photos" in trouble_of(asks="list").what


@pytest.mark.parametrize("fault", [Fault(503, "SlowDown", times=2), Fault(sent=10, times=2), Fault(sent=0, times=1)])
def test_what_passes_is_asked_for_again(fault: Fault, origin: Origin) -> None:
    origin.faults["photos/a/00.jpg"] = fault
    assert store().opened("a/00.jpg").read() == PHOTOS["a/00.jpg"]


def test_a_silent_body_ends(origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_READ_TIMEOUT", "300ms")
    origin.faults["photos/a/00.jpg"] = Fault(sent=10, stalls=True)
    assert trouble_of().trouble is Trouble.CUT_OFF


@pytest.mark.parametrize("key", ["a//b.jpg", "a/../b.jpg", "./a.jpg"])
def test_a_listing_with_a_key_that_cannot_be_asked_for_names_it(key: str, origin: Origin) -> None:
    origin.buckets["photos"][key] = b""
    with pytest.raises(StorageError) as caught:
        list(store().listed(""))
    assert caught.value.trouble is Trouble.ODD_KEY
    assert repr(key) in caught.value.what


SETTINGS = [
    ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, Trouble.UNREACHABLE, "does not answer"),
    ({"AWS_ENDPOINT_URL": "127.0.0.1:9"}, Trouble.SETTINGS, "AWS_ENDPOINT_URL is not an address"),
    ({"AWS_ENDPOINT_URL_S3": "http://a b/"}, Trouble.SETTINGS, "AWS_ENDPOINT_URL_S3 is not an address"),
    ({"AWS_ALLOW_HTTP": "false"}, Trouble.SETTINGS, "not encrypted"),
    ({"AWS_ALLOW_HTTP": "maybe"}, Trouble.SETTINGS, "AWS_… say"),
    ({"AWS_SECRET_ACCESS_KEY": f"{SECRET}\n"}, Trouble.SETTINGS, "AWS_SECRET_ACCESS_KEY holds a line end"),
    ({"AWS_SESSION_TOKEN": f"{SECRET}ä"}, Trouble.SETTINGS, "AWS_SESSION_TOKEN holds"),
]


@pytest.mark.parametrize(
    ("variables", "trouble", "said"), SETTINGS, ids=[next(iter(v)) + str(i) for i, (v, _, _) in enumerate(SETTINGS)]
)
def test_wrong_settings_are_named_without_their_values(
    variables: dict[str, str], trouble: Trouble, said: str, origin: Origin, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    error = trouble_of()
    assert error.trouble is trouble
    assert said in error.what
    assert SECRET not in f"{error.what} {error.hint}"
    assert capfd.readouterr().err == "", "Rust has ended, and said so"


def test_a_certificate_of_an_unknown_authority_is_named(
    origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with gateway(certificate=write_certificate(tmp_path)) as served:
        monkeypatch.setenv("AWS_ENDPOINT_URL", served.url)
        error = trouble_of()
    assert error.trouble is Trouble.SETTINGS
    assert error.what.startswith("the TLS certificate of the storage is not accepted (")
    assert "SSL_CERT_FILE" in error.hint


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_STS_REGIONAL_ENDPOINTS", "regional"),
        ("AWS_USE_FIPS_ENDPOINT", "true"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "db"),
        ("AWS_PROFILE", "josé"),
        ("AWS_CONFIG_FILE", "/home/josé/config"),
        ("AZURE_OPENAI_ENDPOINT", "x"),
        ("GOOGLE_CLOUD_PROJECT", "a\nb"),
    ],
)
def test_variables_that_are_not_asked_for_may_say_anything(
    name: str, value: str, each_storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert len(list(store(each_storage).listed(""))) == len(PHOTOS)


def test_a_key_of_google_s_may_have_lines_and_a_path_letters_of_any_alphabet(
    origin: Origin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOOGLE_ALLOW_HTTP", "true")
    key = json.dumps(google_key(origin), indent=1)
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", key)
    assert len(list(store("gs://photos").listed(""))) == len(PHOTOS)
    monkeypatch.delenv("GOOGLE_SERVICE_ACCOUNT_KEY")
    (tmp_path / "josé.json").write_text(key)
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT", str(tmp_path / "josé.json"))
    assert len(list(store("gs://photos").listed(""))) == len(PHOTOS)


@pytest.mark.parametrize("address", ["s3://photos", "az://photos"])
def test_missing_credentials_are_named_with_the_variables_to_set(
    address: str, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine in a cloud would have some: the address that gives them leads to the origin, which gives none."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "AZURE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", origin.url)
    with pytest.raises(StorageError) as caught:
        store(address).opened("a/00.jpg")
    assert caught.value.trouble is Trouble.CREDENTIALS
    assert ("AWS_ACCESS_KEY_ID" if address.startswith("s3") else "AZURE_STORAGE_ACCOUNT_NAME") in caught.value.hint


@pytest.mark.parametrize(("tag", "plain"), [('"a"', "a"), ('W/"a"', "a"), ("a", "a"), (None, None), (' "a" ', "a")])
def test_an_etag_is_compared_without_quotation_marks(tag: str | None, plain: str | None) -> None:
    assert plain_etag(tag) == plain
