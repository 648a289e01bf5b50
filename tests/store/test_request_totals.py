"""What the API has counted: kept by address, added up, and shown as families with every expected series."""

from facemon.domain.request_outcome import EXPECTED_CODES
from facemon.store.ledger.protocol import Ledger
from facemon.store.request_totals import EVERY_INSTANCE
from facemon.store.total_families import request_families
from facemon.store.totals import TotalKey, Totals

OK = TotalKey("api_requests_total", ("/predict", "POST", "success", "200"), "")
QUICK = TotalKey("api_request_latency_seconds", ("/predict", "POST"), "0.005")
SECONDS = TotalKey("api_request_latency_seconds", ("/predict", "POST"), "sum")


def add(ledger: Ledger, instance: str, counts: Totals) -> None:
    with ledger.writing():
        ledger.requests.add(instance, counts)


def test_totals_grow_and_each_address_has_its_own(ledger: Ledger) -> None:
    add(ledger, "a:1", {OK: 2.0, SECONDS: 0.5})
    add(ledger, "a:1", {OK: 3.0})
    add(ledger, "b:2", {OK: 10.0})
    add(ledger, "b:2", {})
    assert ledger.requests.read("a:1") == {OK: 5.0, SECONDS: 0.5}
    assert ledger.requests.read("b:2") == {OK: 10.0}
    assert ledger.requests.read("c:3") == {}
    assert ledger.requests.read(EVERY_INSTANCE) == {OK: 15.0, SECONDS: 0.5}


def test_an_endpoint_may_have_any_letters(ledger: Ledger) -> None:
    strange = TotalKey("api_requests_total", ('/ü/{id}"\\', "GET", "success", "200"), "")
    add(ledger, "a:1", {strange: 1.0})
    assert ledger.requests.read("a:1") == {strange: 1.0}


def samples(totals: Totals, *, expects_predict: bool) -> dict[tuple[str, ...], float]:
    families = request_families(totals, expects_predict=expects_predict)
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def test_every_outcome_of_predict_is_there_before_the_first() -> None:
    empty = samples({}, expects_predict=True)
    codes = {name[4] for name in empty if name[0] == "api_requests_total"}
    assert codes == {str(code) for code in EXPECTED_CODES}
    assert set(empty.values()) == {0.0}
    assert empty["api_request_latency_seconds_count", "/predict", "POST"] == 0
    assert {name[1] for name in empty if name[0] == "cache_lookups_total"} == {"hit", "shared", "miss"}
    assert samples({}, expects_predict=False) == {}


def test_buckets_are_cumulated_and_others_are_kept() -> None:
    other = TotalKey("api_requests_total", ("unmatched", "GET", "rejected", "404"), "")
    late = QUICK._replace(part="+Inf")
    shown = samples({OK: 4.0, other: 7.0, QUICK: 3.0, late: 1.0, SECONDS: 9.5}, expects_predict=True)
    assert shown["api_requests_total", *other.labels] == 7
    assert shown["api_requests_total", *OK.labels] == 4
    latency = "api_request_latency_seconds"
    assert shown[f"{latency}_bucket", "/predict", "POST", "0.005"] == 3
    assert shown[f"{latency}_bucket", "/predict", "POST", "0.5"] == 3
    assert shown[f"{latency}_bucket", "/predict", "POST", "+Inf"] == 4
    assert (shown[f"{latency}_count", "/predict", "POST"], shown[f"{latency}_sum", "/predict", "POST"]) == (4, 9.5)
