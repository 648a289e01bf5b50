"""Images that are fetched ahead: in their order, within bounds on requests and bytes, and never without an end."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.image_input import FetchedImage, ImageInput, ImageProblem
from facemon.domain.prediction import ErrorCode
from facemon.errors import FacemonError
from facemon.predict.fetching_ahead import BYTES_AHEAD, MOST_OUTAGES, MOST_REQUESTS, REQUESTS, fetched_ahead
from tests.patience import HANG_S, wait_until

NEVER = threading.Event()


@dataclass
class Source:
    """Counts what is fetched of it."""

    begun: int = 0
    under_way: int = 0
    most_under_way: int = 0
    held: int = 0
    most_held: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def image(
        self, ordinal: int, size: int = 1, wait: Callable[[], object] = lambda: None, outage: str | None = None
    ) -> ImageInput:
        """An image that is fetched from here; `wait` is its latency."""

        def fetch(reserve: Callable[[int], None]) -> FetchedImage:
            with self.lock:
                self.begun += 1
                self.under_way += 1
                self.most_under_way = max(self.most_under_way, self.under_way)
            wait()
            reserve(size)
            with self.lock:
                self.under_way -= 1
                self.held += size
                self.most_held = max(self.most_held, self.held)
            if outage:
                return FetchedImage(problem=ImageProblem(ErrorCode.UNREADABLE, "no answer"), outage=outage)
            return FetchedImage(str(ordinal).encode())

        return ImageInput(ordinal, f"s3://b/{ordinal}", fetch=fetch)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=120))
def test_all_come_in_their_order_whatever_is_fetched_and_how_long_it_takes(kinds: list[tuple[bool, int]]) -> None:
    source = Source()
    inputs = [
        source.image(ordinal, wait=lambda slow=slow: time.sleep(slow / 2000))  # type: ignore[misc]
        if is_remote
        else ImageInput(ordinal, f"{ordinal}.jpg", content=str(ordinal).encode())
        for ordinal, (is_remote, slow) in enumerate(kinds)
    ]
    found = list(fetched_ahead(inputs, NEVER))
    assert [image.ordinal for image in found] == list(range(len(kinds)))
    assert [image.content for image in found] == [str(ordinal).encode() for ordinal in range(len(kinds))]
    assert all(image.fetch is None for image in found)


def test_what_is_not_fetched_is_not_read_ahead() -> None:
    read = []

    def lines() -> Iterator[ImageInput]:
        for ordinal in range(9):
            read.append(ordinal)
            yield ImageInput(ordinal, "a.jpg")

    with closing(fetched_ahead(lines(), NEVER)) as stream:
        assert next(stream).ordinal == 0
        assert next(stream).ordinal == 1
    assert read == [0, 1]


def test_requests_are_made_at_once_and_no_more_than_that() -> None:
    source = Source()
    with closing(fetched_ahead((source.image(number) for number in range(10_000)), NEVER)) as stream:
        next(stream)
        wait_until(lambda: source.begun >= REQUESTS)
        # What is ready waits for its turn: nothing more is fetched until it is taken.
        assert source.begun <= REQUESTS + 1
        for _ in range(500):
            next(stream)
        assert source.begun <= 500 + MOST_REQUESTS


def test_more_requests_hide_a_longer_latency() -> None:
    """While nothing but answers is waited for, one more is asked for with each of them, up to a bound."""
    source, stop = Source(), threading.Event()
    answers = [threading.Event() for _ in range(2000)]
    images = (source.image(number, wait=answer.wait) for number, answer in enumerate(answers))
    consumer = threading.Thread(target=lambda: list(fetched_ahead(images, stop)))
    consumer.start()
    wait_until(lambda: source.under_way == REQUESTS)
    for answer in answers[: -2 * MOST_REQUESTS]:
        begun = source.begun
        answer.set()
        wait_until(lambda begun=begun: source.begun > begun, every_s=0.001)  # type: ignore[misc]
        if source.most_under_way == MOST_REQUESTS and source.begun > 4 * MOST_REQUESTS:
            break
    assert source.most_under_way == MOST_REQUESTS
    stop.set()
    for answer in answers:
        answer.set()
    consumer.join(HANG_S)
    assert not consumer.is_alive()


def test_images_that_have_their_bytes_are_bounded_behind_one_that_is_fetched() -> None:
    source, drawn, content = Source(), [], bytes(BYTES_AHEAD // 4)

    def images() -> Iterator[ImageInput]:
        yield source.image(0)
        for ordinal in range(1, 40):
            drawn.append(ordinal)
            yield ImageInput(ordinal, "a.tar/1.png", content=content)

    with closing(fetched_ahead(images(), NEVER)) as stream:
        for _ in range(20):
            ordinal = next(stream).ordinal
            assert len(drawn) - ordinal <= BYTES_AHEAD // len(content)


@pytest.mark.parametrize("size", [BYTES_AHEAD // 4, BYTES_AHEAD, 3 * BYTES_AHEAD])
def test_bytes_ahead_are_bounded_and_one_larger_image_goes_alone(size: int) -> None:
    source = Source()
    with closing(fetched_ahead((source.image(number, size) for number in range(40)), NEVER)) as stream:
        for number, image in enumerate(stream):
            assert image.ordinal == number
            with source.lock:
                source.held -= size
    # The image that is waited for may go beyond the bound, since nothing else could make room.
    assert source.most_held <= BYTES_AHEAD + 2 * size


def test_a_run_that_is_to_stop_does_not_wait_for_an_answer() -> None:
    source, answer, stop = Source(), threading.Event(), threading.Event()
    with closing(fetched_ahead([source.image(0), source.image(1, wait=answer.wait)], stop)) as stream:
        assert next(stream).ordinal == 0
        threading.Timer(0.05, stop.set).start()
        assert list(stream) == []
    answer.set()


def test_what_comes_before_damage_is_yielded_before_it_is_raised() -> None:
    source = Source()
    read: list[bytes] = []

    def inputs() -> Iterator[ImageInput]:
        for ordinal in range(9):
            yield source.image(ordinal, wait=lambda: time.sleep(0.01))
        raise FacemonError("the archive is damaged")

    with pytest.raises(FacemonError, match="the archive is damaged"):
        read.extend(image.content for image in fetched_ahead(inputs(), NEVER) if image.content)
    assert read == [str(ordinal).encode() for ordinal in range(9)]


def test_no_program_waits_for_a_thread_that_fetches() -> None:
    source, answer = Source(), threading.Event()
    with closing(fetched_ahead([source.image(0), source.image(1, wait=answer.wait)], NEVER)) as stream:
        next(stream)
        threads = [thread for thread in threading.enumerate() if thread.name.startswith("fetch")]
        assert threads
        assert all(thread.daemon for thread in threads)
    answer.set()


def test_threads_that_wait_for_room_end_with_the_stream() -> None:
    source = Source()
    with closing(fetched_ahead((source.image(number, BYTES_AHEAD) for number in range(9)), NEVER)) as stream:
        next(stream)
    wait_until(lambda: not any(thread.name.startswith("fetch") for thread in threading.enumerate()))


def test_an_outage_ends_the_run_and_a_few_failures_do_not() -> None:
    source = Source()

    def images(*failing: int) -> list[ImageInput]:
        return [source.image(number, outage="wait" if number in failing else None) for number in range(40)]

    some = list(fetched_ahead(images(*range(MOST_OUTAGES - 1), *range(8, 7 + MOST_OUTAGES)), NEVER))
    assert sum(image.problem is not None for image in some) == 2 * MOST_OUTAGES - 2
    stream = fetched_ahead(images(*range(5, 40)), NEVER)
    seen: list[ImageInput] = []
    with pytest.raises(FacemonError, match=f"no answer; {MOST_OUTAGES} images in a row failed so") as caught:
        seen.extend(stream)
    assert caught.value.hint == "wait"


def test_a_time_of_change_dates_an_image_that_has_no_other() -> None:
    then, given_time = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 2, tzinfo=UTC)
    image = ImageInput(0, "s3://b/a", fetch=lambda _: FetchedImage(b"x", then))
    assert [each.observed_at for each in fetched_ahead([image, image._replace(observed_at=given_time)], NEVER)] == [
        then, given_time,
    ]  # fmt: skip
