"""Which names of sources are refused: those that the log cannot have rows of, with some of those that it has."""

from pathlib import Path

import pytest

from facemon.application.named_sources import refuse_unknown_sources
from facemon.domain.profile import OTHER
from facemon.errors import UsageError
from facemon.store.drift_results import record_drift
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from tests.reports.results import BY_SOURCE
from tests.store.log_rows import log_images
from tests.store.sql import sql


def refusal(ledger: Ledger, name: str) -> UsageError:
    """What is said of a source that the log does not have."""
    with pytest.raises(UsageError) as caught:
        refuse_unknown_sources(ledger, [name])
    return caught.value


def test_only_known_names_pass_and_the_hint_names_some_of_them(tmp_path: Path) -> None:
    with open_ledger(tmp_path, create=True) as ledger:
        log_images(ledger, 2)
        assert refusal(ledger, "gate").hint == (
            "no row names its source: leave the option out, or name it with facemon predict --source NAME"
        )
        log_images(ledger, 40, sources=tuple(f"gate {number:02}" for number in range(20)))
        refuse_unknown_sources(ledger, ["gate 00", "gate 19"])
        refuse_unknown_sources(ledger, [])
        assert refusal(ledger, "gate 1 9").hint == "did you mean gate 19?"
        unknown = refusal(ledger, "X")
        assert unknown.message == "the log has no rows of the source 'X'"
        assert unknown.hint == f"it has those of {', '.join(f'gate {number:02}' for number in range(8))} and 12 more"


def test_a_source_that_may_have_been_there_is_not_refused(tmp_path: Path) -> None:
    with open_ledger(tmp_path, create=True) as ledger:
        log_images(ledger, 2, sources=("gate",))
        refusal(ledger, "cam 1")
        record_drift(ledger, BY_SOURCE)
        refuse_unknown_sources(ledger, ["cam 1"])
        refusal(ledger, "cam 2")
        log_images(ledger, 100, sources=tuple(f"gate {number:03}" for number in range(100)))
        assert ledger.profiles.has_source(OTHER)
        refuse_unknown_sources(ledger, ["gate 099"])


def test_rows_of_crowded_hours_are_asked_for_a_source_without_a_place(tmp_path: Path) -> None:
    """Among so many sources that some are counted as `other`, a wrong name is as wrong as among few."""
    with open_ledger(tmp_path, create=True) as ledger:
        log_images(ledger, 100, sources=tuple(f"gate {number:03}" for number in range(100)))
        assert not ledger.profiles.has_source("gate 099")
        refuse_unknown_sources(ledger, [f"gate {number:03}" for number in range(100)])
        assert refusal(ledger, "gate 0 99").message == "the log has no rows of the source 'gate 0 99'"
        # Of a row that cannot be read nothing is known.
        with ledger.writing():
            sql(ledger).execute("UPDATE segments SET data = x'00', path = NULL")
        refuse_unknown_sources(ledger, ["gate 0 99"])
