"""S3 as the server of moto speaks it: the answers that the tests' own origin only repeats."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from obstore.store import S3Store

from facemon.object_storage.location import parse_location
from facemon.object_storage.object_store import ObjectStores
from facemon.object_storage.storage_error import StorageError, Trouble
from tests.object_storage.moto_server import PAGE_KEYS, make_bucket, running_moto
from tests.object_storage.origin import etag
from tests.object_storage.reached_storage import lead_to

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def moto(object_stores: Path) -> Iterator[str]:
    with running_moto(object_stores) as url:
        yield url


@pytest.fixture
def bucket(moto: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> S3Store:
    """An empty bucket, with the name of the test."""
    name = request.node.name.replace("_", "-")[:60]
    lead_to(moto, monkeypatch)
    make_bucket(moto, name)
    return S3Store(name)


def test_pages_keys_and_etags(bucket: S3Store) -> None:
    odd = ["a b.jpg", "ä/é.jpg", "100%20.jpg", "a+b&c=d.jpg", "a?b#c.jpg", "[a]~*!.jpg"]
    contents = {key: key.encode() for key in [*odd, *(f"m/{number:04}.jpg" for number in range(2 * PAGE_KEYS + 1))]}
    for key, content in contents.items():
        bucket.put(key, content)
    store = ObjectStores().of(parse_location(f"s3://{bucket.config['bucket']}/"))
    found = list(store.listed(""))
    assert [entry.key for entry in found] == sorted(contents, key=str.encode)
    assert {entry.key: (entry.size, entry.etag) for entry in found} == {
        key: (len(content), etag(content)) for key, content in contents.items()
    }
    for entry in found[:6]:
        assert store.opened(entry.key).read() == contents[entry.key]
        assert store.entry(entry.key) == entry
    assert len(list(store.listed("m"))) == 2 * PAGE_KEYS + 1


def test_what_is_not_there(bucket: S3Store) -> None:
    stores = ObjectStores()
    here, elsewhere = (
        stores.of(parse_location(f"s3://{name}/")) for name in (str(bucket.config["bucket"]), "no-such-bucket")
    )
    assert here.entry("none.jpg") is None
    assert list(here.listed("none/")) == []
    for store, trouble in ((here, Trouble.MISSING), (elsewhere, Trouble.NO_BUCKET)):
        with pytest.raises(StorageError) as caught:
            store.opened("none.jpg")
        assert caught.value.trouble is trouble
    with pytest.raises(StorageError) as caught:
        list(elsewhere.listed(""))
    assert caught.value.trouble is Trouble.NO_BUCKET


def test_a_folder_made_by_a_console_and_a_large_object(bucket: S3Store) -> None:
    bucket.put("photos/", b"")
    bucket.put("photos/large.jpg", bytes(6 * 2**20), chunk_size=5 * 2**20, use_multipart=True)
    store = ObjectStores().of(parse_location(f"s3://{bucket.config['bucket']}/"))
    large = next(entry for entry in store.listed("photos/") if entry.size)
    assert large.size == 6 * 2**20
    assert large.etag is not None
    assert large.etag.endswith("-2"), "the ETag of an object in two parts is not a hash of its bytes"
    opened = store.opened(large.key)
    assert (opened.entry.etag, len(opened.read())) == (large.etag, large.size)
