from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facemon.domain import source_buckets
from facemon.domain.profile import Profile, add_profiles
from facemon.domain.source_buckets import SourceProfiles, in_buckets
from facemon.domain.spread import Spread
from facemon.domain.times import hour_of, start_of_hour
from facemon.store import segment_writer, source_hours, windows
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from facemon.store.windows import read_sources
from tests.domain.spread_of_hours import hourly_spreads
from tests.domain.spread_oracle import assert_alike
from tests.domain.spread_oracle import plain as plain_spread
from tests.short_form import examples
from tests.store.log_rows import MODEL, NOON, log_images
from tests.store.oracles import Row, count_by_source, count_profile, log_rows, plain
from tests.store.read_windows import read_window
from tests.store.sql import sql

BEGIN = datetime(1969, 12, 31, 22, 30, tzinfo=UTC)
"""Before 1970, where times are negative numbers."""
SPAN = timedelta(hours=5)
IMAGES = 300


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """A store with inline segments and files, three sources and images around midnight of 1970."""
    ledger = open_ledger(tmp_path_factory.mktemp("store"), create=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segment_writer, "SEGMENT_ROWS", 50)
        patch.setattr(segment_writer, "INLINE_ROWS", 30)
        spread = SPAN * (1000 / IMAGES)
        log_images(ledger, IMAGES, batch=10, observed=BEGIN, spread=spread, sources=("a", None, ""))
    kinds = {path is None for (path,) in sql(ledger).execute("SELECT path FROM segments")}
    assert kinds == {True, False}
    return ledger


@pytest.fixture(scope="module")
def rows(full: Ledger) -> list[Row]:
    """Every row of it."""
    return [row | {"source": row["source"] or None} for row in log_rows(full)]


# The times of rows, of whole hours, and anything between.
times = st.one_of(
    st.integers(0, IMAGES).map(lambda image: BEGIN + SPAN * (image / IMAGES)),
    st.integers(-1, 6).map(lambda hour: datetime(1969, 12, 31, 22, tzinfo=UTC) + timedelta(hours=hour)),
    st.timedeltas(timedelta(hours=-1), SPAN + timedelta(hours=1)).map(lambda offset: BEGIN + offset),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(since=times, until=times)
def test_a_window_is_what_its_rows_are(full: Ledger, rows: list[Row], since: datetime, until: datetime) -> None:
    found = read_window(full, since, until, model=MODEL)
    assert {source: plain(profile) for source, profile in found.items()} == count_by_source(rows, since, until, MODEL)


@settings(max_examples=examples(0.5), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(cuts=st.lists(times, min_size=2, max_size=6).map(sorted))
def test_a_window_is_the_sum_of_its_parts(full: Ledger, cuts: list[datetime]) -> None:
    parts = [read_window(full, since, until, model=MODEL) for since, until in pairwise(cuts)]
    for source in ("a", None):
        whole = read_window(full, cuts[0], cuts[-1], model=MODEL).get(source, Profile())
        assert add_profiles(part[source] for part in parts if source in part) == whole


def test_one_source_and_one_model(full: Ledger) -> None:
    everything = read_window(full, BEGIN, BEGIN + SPAN, model=MODEL)
    assert set(everything) == {"a", None}
    assert read_window(full, BEGIN, BEGIN + SPAN, model=MODEL, source="a") == {"a": everything["a"]}
    assert read_window(full, BEGIN, BEGIN + SPAN, model="another") == {}
    assert read_window(full, datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), model=MODEL) == (
        everything
    )


def test_a_window_that_ends_before_it_begins_is_empty(full: Ledger) -> None:
    assert read_window(full, BEGIN + SPAN / 2, BEGIN + timedelta(minutes=1), model=MODEL) == {}


@pytest.mark.parametrize("images", [140])
def test_sources_beyond_the_64th_are_other_in_every_window(folder: Path, images: int) -> None:
    """An hour that the window cuts is counted anew from its rows, and must name the same sources."""
    with open_ledger(folder, create=True) as ledger:
        sources = tuple(f"camera-{number}" for number in range(70))
        log_images(ledger, images, spread=timedelta(hours=1), sources=sources)
        hour, minute = timedelta(hours=1), timedelta(minutes=1)
        whole = read_window(ledger, NOON, NOON + hour, model=MODEL)
        cut = read_window(ledger, NOON - minute, NOON + hour - minute, model=MODEL)
        assert whole == cut
        assert len(whole) == 65
        rows = log_rows(ledger)
        assert plain(add_profiles(whole.values())) == count_profile(rows)
        assert whole["other"].images == len({row["ordinal"] for row in rows if row["source"] not in whole})


def test_a_window_is_of_one_moment(ledger: Ledger) -> None:
    """Rows that come between the reading of whole hours and of cut ones are in both or in neither."""
    since, until = NOON, NOON + timedelta(hours=1.5)
    came: list[str] = []

    def meanwhile(statement: str) -> None:
        if "FROM profiles" in statement and not came:
            with open_ledger(ledger.folder) as other:
                came.append(log_images(other, 20, spread=timedelta(hours=100)))

    sql(ledger).set_trace_callback(meanwhile)
    before = read_window(ledger, since, until, model=MODEL)
    sql(ledger).set_trace_callback(None)
    assert came
    assert before == {}
    assert read_window(ledger, since, until, model=MODEL)[None].images == 15


HOUR = timedelta(hours=1)
CAMERAS = tuple(f"camera-{number:03}" for number in range(200))


@pytest.fixture(scope="module")
def many_sources(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """Four hours: in the first and the third 200 sources and one called other, in the rest one and one without."""
    ledger = open_ledger(tmp_path_factory.mktemp("store"), create=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segment_writer, "SEGMENT_ROWS", 50)
        patch.setattr(segment_writer, "INLINE_ROWS", 30)
        for hour, sources in enumerate([(*CAMERAS, "other"), ("other", None), (None, *CAMERAS[::-1]), ("other",)]):
            log_images(ledger, 402, observed=NOON + hour * HOUR, spread=HOUR * (1000 / 402), sources=sources)
    return ledger


@pytest.fixture(scope="module")
def rows_of_many_sources(many_sources: Ledger) -> list[Row]:
    """Every row of it."""
    return log_rows(many_sources)


def traced(ledger: Ledger, since: datetime, until: datetime, source: str | None = None) -> tuple[SourceProfiles, bool]:
    """What is read, and whether rows were."""
    statements = list[str]()
    sql(ledger).set_trace_callback(statements.append)
    found = read_sources(ledger, since, until, model=MODEL, source=source)
    sql(ledger).set_trace_callback(None)
    return found, any("FROM segments" in statement for statement in statements)


@pytest.mark.parametrize(
    ("since", "until"), [(0, 1), (0, 4), (0.5, 2), (1.25, 2.75), (2.5, 2.75), (-1, 0.1), (1.5, 2), (3, 3.5)]
)
def test_sources_beyond_the_64th_are_distinguished_by_their_rows(
    many_sources: Ledger, rows_of_many_sources: list[Row], since: float, until: float
) -> None:
    begin, end = NOON + since * HOUR, NOON + until * HOUR
    found = read_sources(many_sources, begin, end, model=MODEL)
    assert not found.bucketed
    expected = count_by_source(rows_of_many_sources, begin, end, MODEL)
    assert {source: plain(profile) for source, profile in found.by_source.items()} == expected


def test_rows_are_read_only_where_sources_were_too_many(many_sources: Ledger) -> None:
    """A source that is really called other has no rows of others with it."""
    found, read_rows = traced(many_sources, NOON + HOUR, NOON + 2 * HOUR)
    assert (set(found.by_source), read_rows) == ({"other", None}, False)
    assert found.by_source == read_window(many_sources, NOON + HOUR, NOON + 2 * HOUR, model=MODEL)
    assert traced(many_sources, NOON, NOON + 2 * HOUR)[1]


@pytest.mark.parametrize("source", ["camera-000", "camera-100", "camera-199", "other"])
def test_one_source_of_too_many(many_sources: Ledger, rows_of_many_sources: list[Row], source: str) -> None:
    found = read_sources(many_sources, NOON, NOON + 4 * HOUR, model=MODEL, source=source)
    assert {name: plain(profile) for name, profile in found.by_source.items()} == {
        source: count_profile([row for row in rows_of_many_sources if row["source"] == source])
    }


@pytest.mark.parametrize("until", [2, 4])
def test_far_too_many_sources_are_put_into_buckets(
    many_sources: Ledger, monkeypatch: pytest.MonkeyPatch, until: int
) -> None:
    apart = read_sources(many_sources, NOON, NOON + until * HOUR, model=MODEL)
    monkeypatch.setattr(source_buckets, "MOST_SOURCES", 150)
    found = read_sources(many_sources, NOON, NOON + until * HOUR, model=MODEL)
    assert found == SourceProfiles(in_buckets(apart.by_source), bucketed=True)
    assert None in found.by_source
    assert len(found.by_source) <= source_buckets.BUCKETS + 1


def test_a_window_of_many_uncrowded_hours_is_put_into_buckets_too(
    many_sources: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_buckets, "MOST_SOURCES", 0)
    found, read_rows = traced(many_sources, NOON + HOUR, NOON + 2 * HOUR)
    assert (found.bucketed, read_rows) == (True, False)
    assert set(found.by_source) == {source_buckets.bucket_of("other"), None}


def read_apart(ledger: Ledger, since: datetime, until: datetime, *, model: str) -> Mapping[str | None, Profile]:
    """As `read_window`, with every row under its real source."""
    return read_sources(ledger, since, until, model=model).by_source


def slow_spreads(
    ledger: Ledger,
    since: datetime,
    until: datetime,
    read: Callable[..., Mapping[str | None, Profile]] = read_window,
) -> dict[str | None, dict[str, Spread]]:
    """The spreads between the hours of the window, each of which is read as a window of its own."""
    hours: dict[str | None, list[tuple[int, Profile]]] = {}
    for hour in range(hour_of(since), hour_of(until) + 1):
        piece = max(since, start_of_hour(hour)), min(until, start_of_hour(hour + 1))
        for source, profile in read(ledger, *piece, model=MODEL).items():
            hours.setdefault(source, []).append((hour, profile))
    return {source: hourly_spreads(parts) for source, parts in hours.items()}


def assert_close(found: Mapping[str, Spread], expected: Mapping[str, Spread], rel: float = 1e-9) -> None:
    assert found.keys() == expected.keys()
    for name, spread in expected.items():
        assert_alike(found[name], plain_spread(spread), rel)


@settings(max_examples=examples(0.5), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(since=times, until=times, most=st.integers(1, 8))
def test_a_window_tells_how_much_its_hours_differ(full: Ledger, since: datetime, until: datetime, most: int) -> None:
    """Cut hours are hours like others; how many hours are kept apart makes no difference."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (windows, source_hours):
            patch.setattr(module, "MOST_HOURS", most)
        found = read_sources(full, since, until, model=MODEL, with_spreads=True)
    assert found.by_source == read_window(full, since, until, model=MODEL)
    expected = slow_spreads(full, since, until) if since < until else {}
    assert found.spreads.keys() == expected.keys()
    for source, spreads in expected.items():
        assert_close(found.spreads[source].hours, spreads)
        assert found.spreads[source].days == {}


def test_spreads_of_one_source_and_only_where_asked_for(full: Ledger) -> None:
    found = read_sources(full, BEGIN, BEGIN + SPAN, model=MODEL, source="a", with_spreads=True)
    everything = read_sources(full, BEGIN, BEGIN + SPAN, model=MODEL, with_spreads=True)
    assert found.spreads == {"a": everything.spreads["a"]}
    assert read_sources(full, BEGIN, BEGIN + SPAN, model=MODEL).spreads == {}


@pytest.mark.parametrize("most", [1, 2, 64])
@pytest.mark.parametrize("source", [None, "camera-150", "other"])
@pytest.mark.parametrize(("since", "until"), [(0, 1), (0, 4), (0.5, 2.75), (1, 2)])
def test_crowded_hours_tell_how_much_they_differ_like_others(
    many_sources: Ledger, monkeypatch: pytest.MonkeyPatch, since: float, until: float, source: str | None, most: int
) -> None:
    """Each source has the spreads of its own rows; how many hours are counted at a time makes no difference."""
    for module in (windows, source_hours):
        monkeypatch.setattr(module, "MOST_HOURS", most)
    begin, end = NOON + since * HOUR, NOON + until * HOUR
    found = read_sources(many_sources, begin, end, model=MODEL, source=source, with_spreads=True)
    assert found.by_source == read_sources(many_sources, begin, end, model=MODEL, source=source).by_source
    assert found.spreads.keys() == found.by_source.keys()
    expected = slow_spreads(many_sources, begin, end, read_apart)
    for name, spread in found.spreads.items():
        assert_close(spread.hours, expected[name])
    pairs = [spread.pairs for each in found.spreads.values() for spread in each.hours.values()]
    assert any(pairs) is (until > 2)


@pytest.mark.parametrize("until", [1, 2, 4])
def test_there_are_no_spreads_in_buckets(many_sources: Ledger, monkeypatch: pytest.MonkeyPatch, until: int) -> None:
    apart = read_sources(many_sources, NOON, NOON + until * HOUR, model=MODEL)
    monkeypatch.setattr(source_buckets, "MOST_SOURCES", 150)
    found = read_sources(many_sources, NOON, NOON + until * HOUR, model=MODEL, with_spreads=True)
    assert found == SourceProfiles(in_buckets(apart.by_source), bucketed=True)


def test_uncrowded_hours_in_buckets_have_no_spreads_either(
    many_sources: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_buckets, "MOST_SOURCES", 0)
    found = read_sources(many_sources, NOON + HOUR, NOON + 2 * HOUR, model=MODEL, with_spreads=True)
    assert (found.bucketed, found.spreads) == (True, {})
