"""Shards, workers and their losses: laws of the queue under any order of events, and its limits."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.shard_queue import MOST_RETRIES, NO_WORKER_S, Give, ShardQueue, Stage, Start


def acted(queue: ShardQueue) -> tuple[list[int], dict[int, int]]:
    """The workers to start, and the shard that each free worker gets."""
    actions = queue.actions()
    starts = [action.worker for action in actions if isinstance(action, Start)]
    return starts, {action.worker: action.shard for action in actions if isinstance(action, Give)}


@given(shards=st.integers(0, 12), workers=st.integers(1, 5), data=st.data())
def test_any_order_of_events_ends_and_no_shard_is_forgotten(shards: int, workers: int, data: st.DataObject) -> None:
    """Random losses and failures: the queue ends or starves, and each shard is delivered, given up or missing."""
    queue, now = ShardQueue(range(1, shards + 1), workers, 0.0), 0.0
    starting: list[int] = []
    busy: dict[int, int] = {}
    delivered: set[int] = set()
    attempts: Counter[int] = Counter()
    for _ in range(50 * (shards + workers)):
        if queue.stage(now) is not Stage.WORKING:
            break
        starts, given_out = acted(queue)
        starting += starts
        attempts.update(given_out.values())
        assert not set(given_out) & set(busy), "a worker has one shard at a time"
        assert not set(given_out.values()) & (set(busy.values()) | delivered), "a shard has one worker, and ends once"
        busy |= given_out
        assert len(busy) + len(starting) <= workers
        now += data.draw(st.sampled_from([0.0, 1.0, 20.0]))
        happens = data.draw(st.sampled_from(["began", "ready", "delivered", "failed", "lost"]))
        if happens == "began" and starting:
            queue.began(data.draw(st.sampled_from(starting)))
            assert queue.stage(now) is not Stage.STARVED, "a worker is there"
        elif happens == "ready" and starting:
            queue.ready(starting.pop())
        elif happens == "lost" and (starting or busy):
            worker = data.draw(st.sampled_from(sorted([*starting, *busy])))
            if worker in starting:
                starting.remove(worker)
            busy.pop(worker, None)
            queue.lost(worker, "killed", now)
        elif busy:
            worker = data.draw(st.sampled_from(sorted(busy)))
            shard = busy.pop(worker)
            if happens == "failed":
                queue.failed(worker, "storage")
            else:
                queue.delivered(worker)
                delivered.add(shard)
        else:
            now += NO_WORKER_S if not starting else 0.0
    assert max(attempts.values(), default=0) <= 1 + MOST_RETRIES
    assert delivered.isdisjoint(queue.missing)
    assert delivered | set(queue.missing) == set(range(1, shards + 1))
    if queue.stage(now) is Stage.ENDED:
        assert set(queue.missing) == set(queue.given_up)


def test_the_shard_of_a_lost_worker_is_given_to_another_one() -> None:
    queue = ShardQueue([1, 2], 2, 0.0)
    first, second = acted(queue)[0]
    queue.ready(first)
    queue.ready(second)
    busy = acted(queue)[1]
    assert set(busy.values()) == {1, 2}
    queue.delivered(second)
    queue.lost(first, "the node died", 5.0)
    assert acted(queue) == ([3], {second: busy[first]})
    queue.delivered(second)
    assert (queue.stage(6.0), queue.missing) == (Stage.ENDED, [])


def test_a_shard_is_tried_four_times_at_most_and_the_others_go_on() -> None:
    queue = ShardQueue([1, 2], 1, 0.0)
    queue.ready(1)
    tried: list[int] = []
    while queue.stage(0.0) is Stage.WORKING:
        ((worker, shard),) = acted(queue)[1].items()
        tried.append(shard)
        queue.failed(worker, "denied") if shard == 1 else queue.delivered(worker)
    assert Counter(tried) == {1: 1 + MOST_RETRIES, 2: 1}
    assert (queue.missing, queue.given_up) == ([1], {1: "denied"})


def test_places_are_not_filled_without_an_end() -> None:
    queue = ShardQueue(range(1, 101), 1, 0.0)
    begun = 0
    while queue.stage(1.0) is Stage.WORKING:
        ((worker,), _) = acted(queue)
        begun += 1
        queue.lost(worker, "out of memory", 1.0)
    assert (begun, queue.stage(1.0)) == (1 + MOST_RETRIES, Stage.STARVED)
    assert queue.missing == list(range(1, 101))


def test_a_place_whose_workers_deliver_is_filled_again_and_again() -> None:
    queue = ShardQueue(range(1, 21), 1, 0.0)
    while queue.stage(0.0) is Stage.WORKING:
        (worker, *_), _ = acted(queue)
        queue.ready(worker)
        acted(queue)
        queue.delivered(worker)
        queue.lost(worker, "preempted", 0.0)
    assert queue.missing == []


def test_a_job_without_workers_ends_after_its_patience() -> None:
    queue = ShardQueue([1], 1, 100.0)
    (worker,), _ = acted(queue)
    assert queue.stage(100.0 + NO_WORKER_S - 1) is Stage.WORKING
    assert queue.stage(100.0 + NO_WORKER_S) is Stage.STARVED
    queue.ready(worker)
    assert queue.stage(1e6) is Stage.WORKING, "a worker is there"
    queue.lost(worker, "killed", 1e6)
    acted(queue)
    assert queue.stage(1e6 + NO_WORKER_S - 1) is Stage.WORKING
    assert queue.stage(1e6 + NO_WORKER_S) is Stage.STARVED


def test_a_worker_that_opens_its_model_for_long_is_there() -> None:
    queue = ShardQueue([1], 1, 0.0)
    (worker,), _ = acted(queue)
    queue.began(worker)
    assert queue.stage(10 * NO_WORKER_S) is Stage.WORKING
    queue.lost(worker, "the node died", 10 * NO_WORKER_S)
    acted(queue)
    assert queue.stage(11 * NO_WORKER_S) is Stage.STARVED, "no other one has come"


def test_no_shard_is_no_work() -> None:
    queue = ShardQueue([], 3, 0.0)
    assert (queue.stage(0.0), queue.actions()) == (Stage.ENDED, [])
