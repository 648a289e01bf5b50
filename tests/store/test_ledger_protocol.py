"""What every ledger must do, whatever keeps it: each change is whole or nothing, and can be read back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from inspect import getmembers, isfunction
from itertools import permutations
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from facemon.domain.drift_result import Check, CheckResult, ColumnResult, DriftResult, Side, SourceResult, Verdict
from facemon.domain.labelled import LabelledImage
from facemon.domain.times import hour_of, micros
from facemon.store.arrivals import Arrivals, rows_by_hour
from facemon.store.deliveries import Delivery, register
from facemon.store.drift_states import DriftedColumn
from facemon.store.ledger import delivery_entries, entries
from facemon.store.ledger.protocol import Ledger
from facemon.store.named_reference import Reference, ReferenceSpreads
from facemon.store.node_state import NodeDelivery, NodeIdentity, NodeState, PendingDelivery
from facemon.store.request_totals import EVERY_INSTANCE
from facemon.store.row_counts import count_rows
from facemon.store.row_profiles import profile_rows
from facemon.store.run_state import RunState
from facemon.store.segment import NewSegment, Segment
from facemon.store.segment_files import encode_inline
from facemon.store.shard_identity import ShardIdentity
from facemon.store.totals import TotalKey
from tests.store.conftest import IMPLEMENTATIONS
from tests.store.log_rows import IDENTITY, MODEL, NOON, make_batch
from tests.store.oracles import plain

PARTS = {
    "segments": entries.SegmentRecords, "files": entries.FileRecords, "totals": entries.TotalRecords,
    "profiles": entries.ProfileRecords, "arrivals": entries.ArrivalRecords, "runs": entries.RunRecords,
    "requests": entries.RequestRecords, "references": entries.ReferenceRecords, "checks": entries.CheckRecords,
    "evaluations": entries.EvaluationRecords, "commands": entries.CommandRecords, "stamps": entries.StampRecords,
    "deliveries": delivery_entries.DeliveryRecords, "nodes": delivery_entries.NodeRecords,
}  # fmt: skip
AT, HOUR = micros(NOON), hour_of(NOON)
KEY = TotalKey("images_processed_total", ("ok",), "")
COLUMN, OTHER = (DriftedColumn(MODEL, "normal", "", "null", "data", name) for name in ("beard", "age"))


def new_segment(name: str, first: int = 0) -> NewSegment:
    table = pa.Table.from_batches([make_batch(first, 3, run="run").rows])
    return NewSegment(name, None, encode_inline(table), table, "")


def delivery(name: str, first: int = 0) -> Delivery:
    new = new_segment(name, first)
    return Delivery(
        [new], totals=count_rows(new.table), profiles=profile_rows(new.table), arrivals=rows_by_hour(new.table)
    )


def reference(name: str) -> Reference:
    return Reference(name, name, "predictions", "", MODEL, "window", NOON, NOON, NOON, 1, f"references/{name}.parquet")


SHARD = ShardIdentity("images", 3, 8, "job", "digest", "run", "etag")
NODE = NodeIdentity("gate", "0" * 16, 1, "digest", "etag", AT, AT + 1)
STATE = NodeState(
    "gate", "0" * 16, "s3://logs/", 7, 3, {KEY: 1.0}, PendingDelivery(MODEL, {"run": [(0, 3), (5, 7)]}, {KEY: 2.0})
)


def result(verdict: Verdict) -> DriftResult:
    checks = {Check.DATA: CheckResult(verdict, 0.05, (ColumnResult("beard", "categorical", verdict, 0.1),))}
    sources = (SourceResult("north", verdict, 5, 5, checks),)
    return DriftResult(verdict, NOON, Side(5, "normal"), Side(5), checks, model=MODEL, sources=sources)


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    """A ledger with something of everything."""
    with ledger.writing():
        assert register(ledger, delivery("first"))
        ledger.files.intend("writer", [("half", "segments/half.parquet")])
        ledger.files.give_up(["segments/old.parquet"], 1)
        ledger.totals.depart({KEY: 2.0})
        ledger.runs.begin("run", IDENTITY, AT)
        ledger.requests.add("here", {KEY: 1.0})
        ledger.references.enter(reference("normal"), {}, ReferenceSpreads())
        ledger.references.keep_counts("normal", "key", b"counts", 4)
        ledger.checks.enter(result(Verdict.DRIFT), for_gauges=True)
        ledger.checks.announce([COLUMN])
        ledger.evaluations.enter(MODEL, AT, {"beard": (1, 2)}, [LabelledImage("beard", "1.jpg", HOUR, None, True)])
        ledger.commands.enter("predict", AT, 1.0, 0, AT)
        ledger.deliveries.enter(SHARD)
        ledger.nodes.keep(STATE)
        ledger.nodes.send({"run": [(0, 3), (5, 7)]})
        ledger.nodes.look_through(["first"])
        ledger.nodes.enter(NODE)
        ledger.nodes.know({"run": [(0, 3)]})
    return ledger


def contents(ledger: Ledger) -> dict[str, str]:
    """All that a ledger tells, by part."""
    runs = sorted(ledger.runs.states())
    told: dict[str, Any] = {
        "segments": (ledger.segments.within(), ledger.size(), ledger.segments.models()),
        "files": (
            sorted(ledger.files.known()), ledger.files.writers(), ledger.files.intended_by("writer"),
            ledger.files.given_up_before(99),
            sorted(ledger.files.given_up()),
        ),
        "totals": (sorted(ledger.totals.read().items()), sorted(ledger.totals.departed().items())),
        "profiles": sorted((str(key), repr(plain(profile))) for key, profile in ledger.profiles.all().items()),
        "arrivals": ledger.arrivals.read(MODEL),
        "runs": (runs, ledger.runs.last_ends()),
        "requests": (sorted(ledger.requests.instances()), sorted(ledger.requests.read(EVERY_INSTANCE).items())),
        "references": (
            [(each, ledger.references.counts(each.id, "key")) for each in ledger.references.all()],
            ledger.references.removed(),
        ),
        "checks": (
            ledger.checks.gauges(), ledger.checks.states(), ledger.checks.source_states(),
            list(ledger.checks.history(9)), list(ledger.checks.between(AT, AT + 1)),
            sorted(ledger.checks.announced()), ledger.checks.newest(),
        ),
        "evaluations": (
            ledger.evaluations.accuracy(MODEL, 1), ledger.evaluations.labelled(MODEL, 0, HOUR + 9),
            ledger.evaluations.counts(MODEL, AT, AT + 9),
        ),
        "commands": ledger.commands.all(),
        "deliveries": sorted(ledger.deliveries.of_job("images").items()),
        "nodes": (
            ledger.nodes.state(), ledger.nodes.sent("run"), ledger.nodes.looked_through(),
            list(ledger.nodes.registered()), ledger.nodes.collected(), ledger.nodes.known("run"),
        ),
        "stamps": ledger.stamps.newest(),
    }  # fmt: skip
    return {part: repr(value) for part, value in told.items()}


def prune_all(ledger: Ledger) -> None:
    ledger.segments.remove(ledger.segments.within())
    ledger.arrivals.prune(NOON + timedelta(days=9))


def look_through_another(ledger: Ledger) -> None:
    ledger.segments.register([new_segment("second")])
    ledger.nodes.look_through(["second"])


CHANGES: dict[str, Callable[[Ledger], object]] = {
    "segments.register": lambda ledger: ledger.segments.register([new_segment("second")]),
    "segments.remove": lambda ledger: ledger.segments.remove(ledger.segments.within()),
    "segments.keep_last_predicted": lambda ledger: ledger.segments.keep_last_predicted("first", 7),
    "files.intend": lambda ledger: ledger.files.intend("other", [("b", "segments/b.parquet")]),
    "files.forget_writer": lambda ledger: ledger.files.forget_writer("writer"),
    "files.give_up": lambda ledger: ledger.files.give_up(["segments/c.parquet"], 2),
    "files.forget_given_up": lambda ledger: ledger.files.forget_given_up(["segments/old.parquet"]),
    "totals.add": lambda ledger: ledger.totals.add({KEY: 1.0}),
    "totals.depart": lambda ledger: ledger.totals.depart({KEY: 1.0}),
    "totals.take_back_departed": lambda ledger: ledger.totals.take_back_departed({KEY: 2.0}),
    "profiles.add": lambda ledger: ledger.profiles.add(profile_rows(new_segment("x").table)),
    "profiles.subtract": lambda ledger: ledger.profiles.subtract(profile_rows(new_segment("x").table)),
    "profiles.replace": lambda ledger: ledger.profiles.replace(
        [(key.hour, key.model, key.origin) for key in ledger.profiles.all()], {}
    ),
    "arrivals.mark_checked": lambda ledger: ledger.arrivals.mark_checked(ledger.arrivals.read(MODEL)),
    "arrivals.add": lambda ledger: ledger.arrivals.add({(MODEL, HOUR): 4}),
    "arrivals.replace": lambda ledger: ledger.arrivals.replace({}, {(MODEL, HOUR): 4}),
    "arrivals.prune": prune_all,
    "runs.begin": lambda ledger: ledger.runs.begin("next", IDENTITY, AT),
    "runs.advance": lambda ledger: ledger.runs.advance("run", 0, 3, "digest"),
    "runs.count_flushes": lambda ledger: ledger.runs.count_flushes("run", 2),
    "runs.finish": lambda ledger: ledger.runs.finish("run", AT),
    "runs.extend": lambda ledger: ledger.runs.extend("found", RunState(MODEL, 3, "recovered", 0, AT, AT)),
    "requests.add": lambda ledger: ledger.requests.add("here", {KEY: 1.0}),
    "requests.rename": lambda ledger: ledger.requests.rename("here", "there"),
    "requests.raise_to": lambda ledger: ledger.requests.raise_to([("here", KEY.metric, '["ok"]', "", 9.0)]),
    "references.enter": lambda ledger: ledger.references.enter(reference("next"), {}, ReferenceSpreads()),
    "references.keep_counts": lambda ledger: ledger.references.keep_counts("normal", "key", b"others", 4),
    "references.remove": lambda ledger: ledger.references.remove(reference("normal"), NOON),
    "checks.enter": lambda ledger: ledger.checks.enter(result(Verdict.OK), for_gauges=True),
    "checks.announce": lambda ledger: ledger.checks.announce([OTHER]),
    "checks.forget_announced": lambda ledger: ledger.checks.forget_announced([COLUMN]),
    "evaluations.enter": lambda ledger: ledger.evaluations.enter(MODEL, AT + 1, {"beard": (2, 2)}, []),
    "evaluations.forget_labelled": lambda ledger: ledger.evaluations.forget_labelled(MODEL, HOUR, HOUR + 1),
    "commands.enter": lambda ledger: ledger.commands.enter("predict", AT + 1, 2.0, 0, AT + 1),
    "commands.take_back_success": lambda ledger: ledger.commands.take_back_success("predict", AT, None),
    "deliveries.enter": lambda ledger: ledger.deliveries.enter(SHARD._replace(shard=4)),
    "nodes.keep": lambda ledger: ledger.nodes.keep(replace(STATE, number=4, latencies=None, pending=None)),
    "nodes.send": lambda ledger: ledger.nodes.send({"run": [(3, 5)]}),
    "nodes.look_through": look_through_another,
    "nodes.enter": lambda ledger: ledger.nodes.enter(NODE._replace(number=2)),
    "nodes.know": lambda ledger: ledger.nodes.know({"run": [(9, 12)]}),
    "stamps.take_back": lambda ledger: ledger.stamps.take_back(NOON - timedelta(days=9)),
}  # fmt: skip
READS = {
    "segments.within", "segments.has", "segments.data", "segments.models", "segments.first_observed",
    "files.writers", "files.intended_by", "files.given_up_before", "files.given_up", "files.known", "totals.read",
    "totals.departed",
    "profiles.as_counted", "profiles.hours", "profiles.stored_hours", "profiles.count_images", "profiles.last_hour",
    "profiles.known_sources",
    "profiles.has_source", "profiles.crowded_hours", "profiles.all", "arrivals.read", "runs.newest", "runs.state",
    "runs.fingerprints", "runs.last_fingerprint",
    "runs.states", "runs.last_ends", "requests.instances", "requests.read", "references.all",
    "references.profiles", "references.spreads", "references.counts", "references.removed", "checks.gauges",
    "checks.states", "checks.source_states", "checks.history", "checks.between", "checks.newest",
    "checks.announced", "evaluations.accuracy", "evaluations.counts", "evaluations.labelled", "evaluations.newest",
    "commands.all", "stamps.newest", "deliveries.of_job", "deliveries.jobs", "deliveries.has", "deliveries.conflicting",
    "nodes.state", "nodes.sent", "nodes.looked_through", "nodes.has_collected", "nodes.registered", "nodes.identity",
    "nodes.collected", "nodes.known", "stamps.after",
}  # fmt: skip


def methods(part: type) -> dict[str, Any]:
    return {name: method for name, method in getmembers(part, isfunction) if not name.startswith("_")}


def test_every_method_is_tried_here() -> None:
    assert {f"{name}.{method}" for name, part in PARTS.items() for method in methods(part)} == READS | set(CHANGES)


def test_an_implementation_has_every_method_with_its_arguments(ledger: Ledger) -> None:
    for name, part in PARTS.items():
        for method, wanted in methods(part).items():
            own = getattr(getattr(ledger, name), method).__func__.__code__
            count = own.co_argcount + own.co_kwonlyargcount
            assert own.co_varnames[:count] == wanted.__code__.co_varnames, f"{name}.{method}"


def interrupted(ledger: Ledger, change: str) -> None:
    with ledger.writing():
        CHANGES[change](ledger)
        raise KeyboardInterrupt


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_kept_with_its_transaction_or_not_at_all(filled: Ledger, change: str) -> None:
    before = contents(filled)
    with pytest.raises(KeyboardInterrupt):
        interrupted(filled, change)
    assert contents(filled) == before
    with filled.writing():
        CHANGES[change](filled)
    after = contents(filled)
    assert after[change.split(".", maxsplit=1)[0]] != before[change.split(".", maxsplit=1)[0]]
    kind = next(iter(IMPLEMENTATIONS))
    with IMPLEMENTATIONS[kind](filled.folder) as again:
        assert contents(again) == after


def test_a_delivery_that_replaces_what_is_gone_changes_nothing(filled: Ledger) -> None:
    (present,) = filled.segments.within()
    gone = Segment("gone", "segments/gone.parquet", 3, MODEL, AT, AT, "")
    late = delivery("second")
    for replaced in permutations((present, gone)):
        before = contents(filled)
        with filled.writing():
            assert not register(filled, Delivery(late.segments, replaced, late.totals, late.totals, late.profiles))
        assert contents(filled) == before


def test_a_shard_is_registered_once(filled: Ledger) -> None:
    before = contents(filled)
    late = delivery("second")
    with filled.writing():
        assert not register(filled, Delivery(late.segments, totals=late.totals, shard=SHARD._replace(digest="other")))
    assert contents(filled) == before
    with filled.writing():
        assert register(filled, Delivery(late.segments, totals=late.totals, shard=SHARD._replace(shard=2)))
        filled.deliveries.enter(SHARD._replace(digest="other"))
    assert filled.deliveries.of_job("images") == {2: SHARD._replace(shard=2), 3: SHARD}
    assert filled.deliveries.of_job("others") == {}
    assert filled.deliveries.jobs() == ["images"]


def test_what_excludes_a_shard(filled: Ledger) -> None:
    found = filled.deliveries.conflicting
    assert found(SHARD) is found(SHARD._replace(shard=7)) is None
    assert found(SHARD._replace(name="others", job="other")) is None
    assert found(SHARD._replace(digest="other")) == found(SHARD._replace(shard=7, job="other")) == SHARD


def test_a_node_delivery_and_each_image_of_it_is_registered_once(filled: Ledger) -> None:
    before = contents(filled)
    late = delivery("second")
    for node in (
        NodeDelivery(NODE._replace(digest="other"), {"next": [(0, 3)]}),
        NodeDelivery(NODE._replace(number=2), {"next": [(0, 3)], "run": [(2, 5)]}),
    ):
        with filled.writing():
            assert not register(filled, Delivery(late.segments, totals=late.totals, node=node))
        assert contents(filled) == before
    fresh = NodeDelivery(NODE._replace(number=2), {"run": [(3, 5)]})
    with filled.writing():
        assert register(filled, Delivery(late.segments, totals=late.totals, node=fresh))
    assert filled.nodes.identity(*NODE.place) == NODE
    assert list(filled.nodes.registered()) == [NODE, fresh.identity]
    assert list(filled.nodes.known("run")) == [(0, 5)]


def test_what_is_known_of_a_node_is_read_back(filled: Ledger, tmp_path: Path) -> None:
    assert filled.nodes.state() == STATE
    with filled.writing():
        filled.nodes.send({"run": [(3, 5)], "other": [(1, 2)]})
        filled.nodes.look_through(["gone"])
    assert list(filled.nodes.sent("run")) == [(0, 7)]
    assert filled.nodes.looked_through() == {"first"}, "others are not in the log"
    assert filled.nodes.has_collected()
    kind = next(iter(IMPLEMENTATIONS))
    with IMPLEMENTATIONS[kind](tmp_path / "new", create=True) as new:
        assert (new.nodes.state(), new.nodes.has_collected()) == (None, False)


def test_deliveries_add_up_in_any_order(tmp_path: Path) -> None:
    kind = next(iter(IMPLEMENTATIONS))
    orders = []
    for number, order in enumerate(permutations((("a", 0), ("b", 3), ("c", 6)))):
        with IMPLEMENTATIONS[kind](tmp_path / str(number), create=True) as ledger:
            for name, first in order:
                with ledger.writing():
                    assert register(ledger, delivery(name, first))
            told = contents(ledger)
            orders.append([told[part] for part in ("segments", "totals", "profiles", "arrivals")])
    assert all(order == orders[0] for order in orders)


def test_what_a_delivery_adds_another_one_takes_away(ledger: Ledger) -> None:
    added = delivery("first")
    with ledger.writing():
        assert register(ledger, added)
        taken = Delivery((), ledger.segments.within(), {}, added.totals, {}, [added.profiles], {}, added.arrivals)
        assert register(ledger, taken)
    assert ledger.segments.within() == []
    assert ledger.totals.read() == ledger.totals.departed()
    assert ledger.profiles.all() == {}
    assert ledger.arrivals.read(MODEL) == Arrivals(MODEL, {}, is_first=True)
