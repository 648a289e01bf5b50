"""Which names of sources a request may bring into the log, and what becomes of the others."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.profile import Profile, ProfileKey
from facemon.server.source_names import SourceNames
from facemon.store.ledger.opening import open_ledger
from tests.acceptance.served import served as serving
from tests.acceptance.small_model import write_small_model
from tests.server.raw_requests import connected, read_answer, request
from tests.server.served_api import Api, picture, served

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=3)


@given(st.lists(NAMES), st.lists(NAMES), st.integers(0, 5), st.lists(st.tuples(st.none() | NAMES, st.integers(1, 4))))
def test_few_names_come_in_and_each_image_is_logged_or_counted(
    listed: list[str], known: list[str], most: int, asked: list[tuple[str | None, int]]
) -> None:
    folded: list[int] = []
    names = SourceNames(listed, known[:most], most, folded.append)
    logged = [(names.logged_as(source, images), source, images) for source, images in asked]
    assert len({name for name, _, _ in logged} - {None, "other", *listed}) <= most
    assert all(name in (source, "other") for name, source, _ in logged)
    assert all(name == source for name, source, _ in logged if source is None or source in {*listed, *known[:most]})
    assert sum(folded) == sum(images for name, source, images in logged if name != source)
    assert all(names.logged_as(name, 1) == name for name, _, _ in logged), "a name that came in stays"


def test_a_thousand_made_up_names_cost_no_camera_its_own(tmp_path: Path) -> None:
    content = picture()
    with served(tmp_path, sources=["gate"], max_sources=3) as api:
        for number in range(30):
            name = f"made-up-{number}"
            _, text, _ = api.ask("POST", f"/predict?source={name}", content)
            assert json.loads(text)["predictions"][0]["source"] == (name if number < 3 else "other")
        assert json.loads(api.ask("POST", "/predict?source=gate", content)[1])["predictions"][0]["source"] == "gate"
        logged = {name for batch in api.logged for name in batch.rows["source"].to_pylist()}
        assert logged == {"made-up-0", "made-up-1", "made-up-2", "other", "gate"}
        assert {key.metric: n for key, n in api.counts.totals().items() if "source" in key.metric} == {
            "api_other_source_images_total": 27
        }


@pytest.mark.parametrize(
    "query", ["source=%ff", "source=%", "source=%4", "source=%zz", "source=%C3%28", "x=%ED%A0%80", "source=a&b=%"]
)
def test_a_query_that_is_not_utf_8_is_refused(api: Api, query: str) -> None:
    assert api.refusal("POST", f"/predict?{query}", picture()) == (400, "bad_request")
    assert api.logged == []


def test_a_query_of_bare_bytes_is_refused_or_read_as_utf_8(api: Api) -> None:
    for sent, expected in ((b"\xff", {400}), ("ö".encode(), {200, 400})):
        with connected(api.port) as client:
            head, _, rest = request("POST", "/predict?source=NAME", body=picture()).partition(b"NAME")
            client.sendall(head + sent + rest)
            assert read_answer(client)[0] in expected


@pytest.mark.parametrize(
    ("query", "name"), [("source=%C3%B6+a", "ö a"), ("source=100%25", "100%"), ("x&source=b", "b")]
)
def test_a_name_may_be_of_any_letters(api: Api, query: str, name: str) -> None:
    assert json.loads(api.ask("POST", f"/predict?{query}", picture())[1])["predictions"][0]["source"] == name


def test_the_sources_of_an_origin_are_known_from_the_ledger(tmp_path: Path) -> None:
    hours = {"often": (8, 9, 10), "once": (9,), "long ago": (1, 2, 3, 4), "other": (9, 10), None: (9,)}
    profiles = {
        ProfileKey(hour, "m@1", source, origin): Profile(images=1, faces=1)
        for source, their in hours.items()
        for hour in their
        for origin in (("api", "batch") if source != "once" else ("api",))
    }
    with open_ledger(tmp_path / "store", create=True) as ledger:
        with ledger.writing():
            ledger.profiles.add(profiles)
        with ledger.reading():
            assert ledger.profiles.known_sources(8, "api", 9) == ["often", "once"]
            assert ledger.profiles.known_sources(8, "batch", 9) == ["often"]
            assert ledger.profiles.known_sources(0, "api", 1) == ["long ago"]


def test_names_keep_their_places_when_the_server_is_restarted(tmp_path: Path) -> None:
    write_small_model(tmp_path, "api: {workers: 1, sources: [gate], max_sources: 2}\n")
    expected = (
        {"gate": "gate", "a": "a", "b": "b", "c": "other"},
        {"c": "other", "d": "other", "b": "b", "a": "a", "gate": "gate"},
    )
    total = 0
    for names in expected:
        with serving(tmp_path) as api:
            for name, logged in names.items():
                _, text = api.ask("POST", f"/predict?source={name}", picture())
                assert json.loads(text)["predictions"][0]["source"] == logged
            total += len(names)
            api.wait_for_images(total)
            folded = sum(name != logged for name, logged in names.items())
            assert api.sums("api_other_source_images_total") == {(): folded}, "in the same transaction"
            assert api.stop() == 0
