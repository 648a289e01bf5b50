"""What a shared log asks of a storage: creating only if absent, replacing, removing, and how each trouble is called."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from facemon.errors import UsageError
from facemon.object_storage.folder_address import parse_folder
from facemon.object_storage.object_folder import ObjectFolder, open_folder
from facemon.object_storage.probe import require_conditional_writes, storage_time
from facemon.object_storage.storage_error import StorageError, Trouble
from tests.object_storage.origin import Fault, Origin, running_origin

LATE = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.fixture
def origin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Origin]:
    with running_origin() as origin:
        origin.buckets["logs"] = {}
        account = tmp_path / "google.json"
        account.write_text(
            json.dumps({
                "gcs_base_url": origin.url, "disable_oauth": True, "client_email": "", "private_key": "",
                "private_key_id": "",
            })
        )  # fmt: skip
        more = {
            "GOOGLE_SERVICE_ACCOUNT": str(account), "GOOGLE_ALLOW_HTTP": "true", "AZURE_STORAGE_ACCOUNT_NAME": "tests",
            "AZURE_STORAGE_ACCOUNT_KEY": "bm90IGEgc2VjcmV0", "AZURE_STORAGE_ENDPOINT": origin.url,
            "AZURE_ALLOW_HTTP": "true",
        }  # fmt: skip
        for name, value in {**origin.environment(), **more}.items():
            monkeypatch.setenv(name, value)
        yield origin


def opened(address: str) -> ObjectFolder:
    return open_folder(parse_folder(address), create=True)


@pytest.fixture(params=["s3://logs/a/b/", "s3://logs", "gs://logs/a", "az://logs/a", "file"])
def objects(request: pytest.FixtureRequest, origin: Origin, tmp_path: Path) -> ObjectFolder:
    """A folder of each storage, and one of a file system."""
    return opened((tmp_path / "shared log").as_uri() if request.param == "file" else request.param)


def test_objects_are_created_once_read_listed_and_removed(objects: ObjectFolder) -> None:
    require_conditional_writes(objects)
    assert list(objects.listed("")) == []
    assert objects.create("deliveries/images/1.json", b"one")
    assert objects.create("deliveries/images/1.json", b"one"), "an answer may be lost: the content says whose it is"
    assert not objects.create("deliveries/images/1.json", b"two")
    objects.write("deliveries/images/10.json", b"")
    objects.write("deliveries/others/1.json", b"12")
    assert objects.read("deliveries/images/1.json") == b"one"
    assert objects.read("deliveries/images/2.json") is None
    assert objects.entry("deliveries/images/2.json") is None
    found = {entry.key: entry for entry in objects.listed("deliveries/")}
    assert {key: entry.size for key, entry in found.items()} == {
        "deliveries/images/1.json": 3, "deliveries/images/10.json": 0, "deliveries/others/1.json": 2,
    }  # fmt: skip
    one = objects.entry("deliveries/images/1.json")
    assert one is not None
    assert (one.key, one.etag) == ("deliveries/images/1.json", found["deliveries/images/1.json"].etag)
    objects.remove(["deliveries/images/1.json"])
    objects.remove(["deliveries/images/1.json"])
    assert set(found) - {entry.key for entry in objects.listed("")} == {"deliveries/images/1.json"}


@pytest.mark.parametrize("place", ["s3://logs/a", "gs://logs", "az://logs/a", "file"])
def test_many_objects_are_removed_at_once_and_those_that_are_gone_passed_over(
    place: str, origin: Origin, tmp_path: Path
) -> None:
    objects = opened((tmp_path / "log").as_uri() if place == "file" else place)
    names = [f"segments/{number}" for number in range(30)]
    for name in names[5:]:
        objects.write(name, b"x")
    objects.write("segments/kept", b"x")
    objects.remove(names)
    assert [entry.key for entry in objects.listed("")] == ["segments/kept"]


@pytest.mark.parametrize("place", ["s3://logs/a", "az://logs/a", "file"])
def test_an_object_is_replaced_while_it_is_the_same(place: str, origin: Origin, tmp_path: Path) -> None:
    objects = opened((tmp_path / "log").as_uri() if place == "file" else place)
    objects.write("lock", b"one")
    entry = objects.entry("lock")
    assert entry is not None
    assert entry.etag is not None
    assert not objects.replace("none", b"two", entry.etag)
    assert objects.replace("lock", b"two", entry.etag)
    assert not objects.replace("lock", b"three", entry.etag)
    assert objects.read("lock") == b"two"


@pytest.mark.parametrize("place", ["s3://logs", "file"])
def test_one_of_many_creators_wins(place: str, origin: Origin, tmp_path: Path) -> None:
    objects = opened((tmp_path / "log").as_uri() if place == "file" else place)
    for number in range(10):
        won: list[int] = []
        start = threading.Barrier(8)

        def create(own: int, number: int = number, won: list[int] = won, start: threading.Barrier = start) -> None:
            start.wait()
            if objects.create(f"{number}.json", f"{own}".encode()):
                won.append(own)

        threads = [threading.Thread(target=create, args=(own,)) for own in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [objects.read(f"{number}.json")] == [f"{own}".encode() for own in won]


def test_a_lost_answer_is_asked_for_again_and_counts_as_ones_own(origin: Origin) -> None:
    origin.faults["PUT logs/1.json"] = Fault(sent=0, times=1)
    assert opened("s3://logs").create("1.json", b"own")
    assert origin.asked.count("PUT logs/1.json") == 2


def test_the_probe_tells_the_time_of_the_storage_and_leaves_nothing(origin: Origin) -> None:
    origin.now = lambda: LATE
    objects = opened("s3://logs/a")
    assert require_conditional_writes(objects) == storage_time(objects) == LATE
    assert origin.buckets["logs"] == {}


def test_a_storage_that_ignores_conditions_is_refused(origin: Origin) -> None:
    origin.keeps_conditions = False
    assert "ignores If-None-Match" in trouble_of(lambda: require_conditional_writes(opened("s3://logs/a"))).what
    assert origin.buckets["logs"] == {}, "the probe is removed"


def test_a_storage_that_knows_no_conditions_is_refused(origin: Origin) -> None:
    origin.faults["PUT"] = Fault(501, "NotImplemented")
    error = trouble_of(lambda: require_conditional_writes(opened("s3://logs/a")))
    assert (error.trouble, "only if it is absent" in error.what) == (Trouble.SETTINGS, True)


def trouble_of(ask: Callable[[], Any]) -> StorageError:
    with pytest.raises(StorageError) as caught:
        ask()
    assert caught.value.hint
    return caught.value


def test_a_bucket_that_may_be_read_only(origin: Origin) -> None:
    origin.buckets["logs"]["jobs/images.json"] = b"x"
    origin.faults["PUT"] = Fault(403, "AccessDenied")
    objects = opened("s3://logs")
    assert objects.read("jobs/images.json") == b"x"
    for ask in (lambda: require_conditional_writes(objects), lambda: objects.write("a", b"")):
        error = trouble_of(ask)
        assert (error.trouble, error.what) == (Trouble.DENIED, "permission to write there is denied")
        assert "put, get, list and delete" in error.hint


def test_no_bucket_and_no_answer(origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    assert trouble_of(lambda: opened("s3://none").create("a", b"")).trouble is Trouble.NO_BUCKET
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert trouble_of(lambda: opened("s3://logs").create("a", b"")).trouble is Trouble.UNREACHABLE


def test_a_folder_that_is_not_there_or_is_none(tmp_path: Path) -> None:
    missing = parse_folder((tmp_path / "none").as_uri())
    assert trouble_of(lambda: open_folder(missing, create=False)).trouble is Trouble.MISSING
    (tmp_path / "file").write_text("")
    assert trouble_of(lambda: opened((tmp_path / "file").as_uri())).what == "file exists"
    blocked = opened(tmp_path.as_uri())
    assert trouble_of(lambda: blocked.write("file/a", b"")).what == "not a directory"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/shared/log", "is not an address"), ("log", "is not an address"), ("", "is not an address"),
        ("https://example.org/log", "not an address of object storage or of a shared folder"),
        ("file://host/log", "names no path of this machine"), ("s3:///log", "names no bucket"),
        ("s3://user:hunter2@logs/a", "holds a user or a password"), ("s3://logs/a//b", "part between slashes"),
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_log_is_refused(address: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_folder(address)
    assert said in caught.value.message
    assert caught.value.hint
    assert "hunter2" not in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("s3://logs", "s3://logs/"), ("s3://logs/a", "s3://logs/a/"), ("gs://logs/a/", "gs://logs/a/"),
        ("file:///shared/log", "file:///shared/log/"), ("file:///shared/a%20b/", "file:///shared/a%20b/"),
    ],
)  # fmt: skip
def test_an_address_ends_with_a_slash(given: str, url: str) -> None:
    assert parse_folder(given).url == url
