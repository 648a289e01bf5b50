"""Addresses of object storage: which are read, which are refused, and that no secret in them is ever shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.object_storage.location import Location, LocationError, Storage, is_location, parse_location

PLAIN = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/?@:#")
PARTS = st.lists(st.text(PLAIN, min_size=1).filter(lambda part: part not in (".", "..")), min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("address", "storage", "bucket", "key"),
    [
        ("s3://photos/a/b.jpg", Storage.S3, "photos", "a/b.jpg"),
        ("S3://photos/a/", Storage.S3, "photos", "a/"),
        ("gs://photos.example.org", Storage.GOOGLE, "photos.example.org", ""),
        ("az://$web/a b.jpg", Storage.AZURE, "$web", "a b.jpg"),
        ("s3://photos/100%20?b=c#d+ä.jpg", Storage.S3, "photos", "100%20?b=c#d+ä.jpg"),
        ("s3://photos/me@home/a.jpg", Storage.S3, "photos", "me@home/a.jpg"),
    ],
)
def test_an_address_is_read_as_it_stands(address: str, storage: Storage, bucket: str, key: str) -> None:
    location = parse_location(address)
    assert location == Location(storage, bucket, key)
    assert location.is_prefix == (not key or key.endswith("/"))


@given(st.sampled_from(Storage), PARTS)
def test_the_address_of_a_location_leads_to_it(storage: Storage, parts: list[str]) -> None:
    location = Location(storage, "photos", "/".join(parts))
    assert parse_location(location.url) == location


@pytest.mark.parametrize(
    "path", ["a.jpg", "./s3:/a", "/s3://b", "https://b/a", "s3a://b/a", "abfss://c@a/b", "s3:/b/a", ""]
)
def test_other_names_are_no_locations(path: str) -> None:
    assert not is_location(path)
    with pytest.raises(LocationError):
        parse_location(path)


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("s3://", "names no bucket"),
        ("s3:///a.jpg", "names no bucket"),
        ("s3://my photos/a.jpg", "characters that no bucket's name has"),
        ("s3://photos/a//b.jpg", "part between slashes"),
        ("s3://photos//b.jpg", "part between slashes"),
        ("s3://photos/../b.jpg", "part between slashes"),
        ("s3://photos/./b.jpg", "part between slashes"),
        ("s3://photos/a\nb.jpg", "control character"),
        ("s3://photos/a\udcffb.jpg", "control character"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(address: str, what: str) -> None:
    with pytest.raises(LocationError, match=what) as caught:
        parse_location(address)
    assert caught.value.hint
    assert caught.value.exit_code == 2


SECRET = "hunter2"


@pytest.mark.parametrize(
    "address",
    [
        f"s3://AKIA:{SECRET}@photos/a.jpg",
        f"s3://AKIA:half/{SECRET}@photos/a.jpg",
        f"s3://AKIA:half/{SECRET}",
        f"s3://{SECRET}@photos/a.jpg",
        f"az://photos/a.jpg?sv=2024&sig={SECRET}",
        f"s3://photos/a.jpg?X-Amz-Signature={SECRET}",
        f"gs://photos/a.jpg?X-Goog-Credential=x&X-Goog-Signature={SECRET}",
        f"s3://photos/?AWSAccessKeyId=x&Signature={SECRET}",
    ],
)
def test_a_secret_is_refused_and_not_shown(address: str) -> None:
    assert is_location(address)
    with pytest.raises(LocationError, match=r"holds a (user or a password|signature)") as caught:
        parse_location(address)
    assert SECRET not in f"{caught.value.message} {caught.value.hint} {caught.value.what}"
    assert "environment" in str(caught.value.hint)
