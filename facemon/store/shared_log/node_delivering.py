"""How a store delivers what is new in it: deliveries that are numbered, each whole or not at all.

What a delivery holds is entered in the ledger before anything is written, and stays the same until its commit is there.
So whatever ends the process, the next one finds out whether that delivery is there, and goes on.
"""

import secrets
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pyarrow as pa

from facemon.domain.row_ranges import is_within
from facemon.domain.times import format_time, from_micros, hour_of, micros, start_of_hour
from facemon.errors import FacemonError, UsageError
from facemon.interruption import Uninterrupted
from facemon.object_storage.object_folder import ObjectFolder
from facemon.object_storage.probe import require_conditional_writes, storage_time
from facemon.store.layout import LEDGER_NAME
from facemon.store.ledger.protocol import Ledger
from facemon.store.node_state import NodeState, PendingDelivery
from facemon.store.process_lock import ProcessLock
from facemon.store.segment_files import SegmentDamagedError, last_predicted, observed_range, split_by_date
from facemon.store.shared_log.added_sums import AddedSums
from facemon.store.shared_log.commit import DeliveredSegment, encoded_segment
from facemon.store.shared_log.delivery_writer import LONGEST_ATTEMPT
from facemon.store.shared_log.documents import UnreadableDocument
from facemon.store.shared_log.layout import NodePlace, is_fit_name, node_delivery_key, node_segment_key
from facemon.store.shared_log.node_commit import FURTHEST_AHEAD, NodeCommit
from facemon.store.shared_log.undelivered import latencies_of, next_delivery, ranges_in, rows_of
from facemon.store.totals import sum_totals

_COMMAND = "deliver"
_GRACE = timedelta(minutes=5)
"""An hour is closed when it has been over for so long; rows that come later are late, and a further delivery."""


@dataclass
class NodeDeliveries:
    """What was delivered."""

    node: str
    until: datetime
    """The end of the last closed hour."""
    deliveries: int = 0
    rows: int = 0
    new_epoch: str | None = None
    """Why the numbers begin again, where they do."""
    damaged: dict[str, SegmentDamagedError] = field(default_factory=dict)
    ahead: int = 0
    """Rows that were predicted while the clock was ahead, and wait until it is that time."""


@dataclass(frozen=True, slots=True)
class NodeRequest:
    """As what a store delivers, and where."""

    location: str
    node: str | None = None
    """None for the name that it had before, or for that of the machine."""
    is_moved: bool = False
    """Whether the location has what an earlier one had."""


def deliver(
    ledger: Ledger, opened: Callable[[], ObjectFolder], request: NodeRequest, tell: Callable[[], None] = lambda: None
) -> NodeDeliveries:
    """Deliver the rows of closed hours that no delivery had; `tell` is called after each delivery.

    The storage is opened only where there is something to deliver. StorageError where it fails: what was delivered
    before stays, and the next call goes on. LockedError while another process delivers from this store; UsageError for
    a name that is not fit for keys, another location, and a store that collects.
    """
    with ProcessLock.for_command(ledger.folder, _COMMAND):
        until = start_of_hour(hour_of(ledger.now() - _GRACE))
        known = ledger.nodes.state()
        state, reason = _entered(ledger, known, request)
        done = NodeDeliveries(state.node, until, new_epoch=reason)
        if known == state and state.pending is None and _planned(ledger, state, done) is None:
            _enter_until(ledger, state, done)
            return done
        sender = _Sender(ledger, opened(), done)
        if known != state:
            with ledger.writing():
                ledger.nodes.keep(state)
        while sender.send_next():
            tell()
        if (state_now := ledger.nodes.state()) is not None:
            _enter_until(ledger, state_now, done)
        return done


def _enter_until(ledger: Ledger, state: NodeState, done: NodeDeliveries) -> None:
    """Enter up to when all is delivered, unless rows wait."""
    until = micros(done.until)
    if not done.damaged and not done.ahead and state.until != until:
        with ledger.writing():
            ledger.nodes.keep(replace(state, until=until))


def _entered(ledger: Ledger, known: NodeState | None, request: NodeRequest) -> tuple[NodeState, str | None]:
    """The state from which this store goes on, and why its numbers begin again, where they do."""
    if ledger.nodes.has_collected():
        raise UsageError(
            f"the store in {ledger.folder} collects deliveries of other machines, and does not deliver them again",
            "collect into a store of its own: store.path in another facemon.yaml",
        )
    node = request.node if request.node is not None else known.node if known else socket.gethostname()
    if not is_fit_name(node):
        raise UsageError(
            f"{node!r} cannot be the name of a node: names have up to 100 letters and digits of ASCII, and . _ - "
            "behind the first one",
            "choose a name: --node NAME",
        )
    file = (ledger.folder / LEDGER_NAME).stat().st_ino
    if known is None:
        # Latencies of before count too: all rows are delivered.
        return NodeState(node, _new_epoch(), request.location, file), None
    if request.location != known.location:
        if not request.is_moved:
            raise UsageError(
                f"this store delivers to {known.location}, and not to {request.location}: rows that are there would "
                "be missing here",
                f"copy all below {known.location} to {request.location}, then add --moved",
            )
        known = replace(known, location=request.location)
    if file != known.ledger_file:
        return _anew(ledger, replace(known, node=node, ledger_file=file)), "the store is a copy, or was restored"
    if node != known.node:
        return replace(
            known, node=node, epoch=_new_epoch(), number=0, pending=None
        ), f"its name was {known.node} before"
    return known, None


def _new_epoch() -> str:
    """Return a name that no other store has."""
    return secrets.token_hex(8)


def _anew(ledger: Ledger, state: NodeState) -> NodeState:
    # What inference took before may have been delivered by the other copy: nothing tells, so it is left out.
    return replace(state, epoch=_new_epoch(), number=0, pending=None, latencies=latencies_of(ledger))


def _planned(ledger: Ledger, state: NodeState, done: NodeDeliveries) -> PendingDelivery | None:
    """Choose the next delivery, and enter which segments are looked through."""
    plan = next_delivery(ledger, micros(done.until), dict(state.latencies or {}), done.damaged)
    if plan.looked_through:
        with ledger.writing():
            ledger.nodes.look_through(plan.looked_through)
    done.ahead = plan.ahead
    return plan.pending


class _Sender:
    """Delivers from a store, one delivery after the other."""

    def __init__(self, ledger: Ledger, objects: ObjectFolder, done: NodeDeliveries) -> None:
        self._ledger = ledger
        self._objects = objects
        self._done = done
        self._began = require_conditional_writes(objects)

    def send_next(self) -> bool:
        """Deliver what is pending, or else what is new; False where there is nothing."""
        state = self._state()
        if state.pending is not None:
            # Of an earlier process, which may have ended between its commit and the ledger.
            if not self._is_there(state, state.pending):
                self._send(state, state.pending)
            return True
        if (pending := _planned(self._ledger, state, self._done)) is None:
            return False
        state = replace(state, pending=pending)
        self._keep(state)
        self._send(state, pending)
        return True

    def _state(self) -> NodeState:
        state = self._ledger.nodes.state()
        assert state is not None  # noqa: S101 - it was entered before
        return state

    def _keep(self, state: NodeState) -> None:
        with self._ledger.writing():
            self._ledger.nodes.keep(state)

    def _send(self, state: NodeState, pending: PendingDelivery) -> None:
        tables = rows_of(self._ledger, pending, self._done.damaged)
        if not tables:
            self._keep(replace(state, pending=None))  # a repair took them out of the log
            return
        place, attempt = _place(state), secrets.token_hex(8)
        now = storage_time(self._objects)
        self._refuse_ahead(state, tables, now)
        sums, segments = AddedSums(), list[DeliveredSegment]()
        for table in _alike(tables):
            sums.add(table)
            for date, rows in split_by_date(table):
                key = node_segment_key(place, attempt, date, secrets.token_hex(8))
                segment, content = encoded_segment(key, rows)
                self._objects.write(key, content)
                segments.append(segment)
        sums.totals = sum_totals(sums.totals, pending.latencies)
        if storage_time(self._objects) - now > LONGEST_ATTEMPT:
            hours = LONGEST_ATTEMPT // timedelta(hours=1)
            raise FacemonError(
                f"{self._objects.url}: a delivery took more than {hours} hours, and its segments may be removed before "
                "they count",
                "run facemon store deliver again when the network is faster",
            )
        rows = ranges_in(tables)
        known = self._fingerprints(rows)
        commit = NodeCommit(place, attempt, pending.model, rows, segments, sums, now, fingerprints=known)
        with Uninterrupted():  # after it the delivery is there
            if self._objects.create(node_delivery_key(place), commit.encoded()):
                self._enter(state, commit)
                return
        self._is_there(state, pending)

    def _fingerprints(self, runs: Iterable[str]) -> dict[str, str]:
        states = {run: self._ledger.runs.state(run) for run in runs}
        return {run: state.fingerprint for run, state in states.items() if state is not None and state.fingerprint}

    def _is_there(self, state: NodeState, pending: PendingDelivery) -> bool:
        """Whether what is pending is delivered; where another store has used its number, a new epoch begins."""
        key = node_delivery_key(place := _place(state))
        if (content := self._objects.read(key)) is None:
            return False
        try:
            commit = NodeCommit.decoded(content, place)
        except UnreadableDocument as error:
            raise FacemonError(
                f"{self._objects.url}{key} {error}", "inspect that object, or deliver under another name: --node NAME"
            ) from error
        if commit.model == pending.model and all(
            is_within(ranges, pending.rows.get(run, ())) for run, ranges in commit.rows.items()
        ):
            self._enter(state, commit)
            return True
        self._done.new_epoch = "another copy of this store used the same numbers"
        self._keep(_anew(self._ledger, state))
        return True

    def _enter(self, state: NodeState, commit: NodeCommit) -> None:
        latencies = sum_totals(state.latencies or {}, state.pending.latencies if state.pending is not None else {})
        with self._ledger.writing():
            self._ledger.nodes.send(commit.rows)
            self._ledger.nodes.keep(replace(state, number=commit.place.number, latencies=latencies, pending=None))
        self._done.deliveries += 1
        self._done.rows += commit.row_count

    def _refuse_ahead(self, state: NodeState, tables: list[pa.Table], now: datetime) -> None:
        newest = from_micros(max(max(observed_range(table)[1], last_predicted(table)) for table in tables))
        if newest <= now + FURTHEST_AHEAD:
            return
        # Nothing of it is there: when the clock is right, its hours are not closed.
        self._keep(replace(state, pending=None))
        raise FacemonError(
            f"a row was observed or predicted at {format_time(newest)}, and {self._objects.url} says that it is "
            f"{format_time(now)}: the clock of this machine is wrong, and nothing more is delivered",
            "correct the clock, then run facemon store clock and facemon store deliver again",
        )


def _place(state: NodeState) -> NodePlace:
    return NodePlace(state.node, state.epoch, state.number + 1)


def _alike(tables: list[pa.Table]) -> list[pa.Table]:
    """The rows with the same columns together: a column that rows never had must not become one without values."""
    alike: dict[str, list[pa.Table]] = {}
    for table in tables:
        alike.setdefault(table.schema.to_string(), []).append(table)
    return [pa.concat_tables(parts) for parts in alike.values()]
