"""The pages that `facemon.instrument` adds to an application: `/metrics` with all that stands on it, and `/health`."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Counter, Gauge
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

import facemon
from facemon.errors import FacemonError
from tests.monitor.own_apis import greet, instrumented
from tests.predict.predicted import small_model


async def item(request: Request) -> Response:
    return PlainTextResponse(str(request.path_params.get("id", "none")))


async def fail(_: Request) -> Response:
    raise RuntimeError("broken")


def test_the_page_in_both_formats() -> None:
    with instrumented(greet) as api:
        Counter("own_things", "Things.", ["kind", "place"], registry=api.registry).labels("a", "b").inc(2)
        assert api.samples()["own_things_total", "a", "b"] == 2
        assert api.samples()["facemon_source_up", "application"] == 1
        status, text, headers = api.ask("GET", "/metrics", headers={"Accept": "application/openmetrics-text"})
        assert (status, headers["content-type"].partition(";")[0]) == (200, "application/openmetrics-text")
        families = {family.name: family for family in read_openmetrics(text)}  # type: ignore[no-untyped-call]
        assert {"own_things", "api_requests", "api_request_latency_seconds"} <= set(families)
        odd = {"Accept": "application/openmetrics-text;version=zz"}
        assert api.ask("GET", "/metrics", headers=odd)[2]["content-type"].startswith("text/plain; version=0.0.4")
        status, text, headers = api.ask("HEAD", "/metrics")
        assert (status, text, int(headers["content-length"]) > 500) == (200, "", True)
        assert api.ask("GET", "/health")[:2] == (200, "ok\n")
        assert api.ask("POST", "/metrics")[1] == "/metrics", "the application's"


def test_a_metric_whose_name_is_taken_is_said(caplog: pytest.LogCaptureFixture) -> None:
    with instrumented(greet) as api, caplog.at_level(logging.WARNING, "facemon"):
        Gauge("api_requests_total", "Mine.", registry=api.registry).set(77)
        Counter("api_request_latency_seconds_count", "Mine.", registry=api.registry).inc(78)
        Gauge("cache_size", "Facemon's, but not on this page.", registry=api.registry).set(79)
        for _ in range(2):
            samples = api.samples()
        assert (samples["facemon_source_up", "application"], samples["cache_size",]) == (0, 79)
        assert not {77, 78} & set(samples.values())
        text = api.ask("GET", "/metrics", headers={"Accept": "application/openmetrics-text"})[1]
        assert list(read_openmetrics(text))  # type: ignore[no-untyped-call]
    assert [record.message.split(" is not")[0] for record in caplog.records] == [
        "the metric api_requests_total",
        "the metric api_request_latency_seconds_count",
    ]


def test_a_page_that_is_asked_for_by_head_has_no_body() -> None:
    sent: list[Any] = []

    async def ask() -> None:
        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> dict[str, Any]:
            return {"type": "http.request"}

        scope = {"type": "http", "method": "HEAD", "path": "/api/health", "root_path": "/api", "headers": []}
        await facemon.instrument(greet)(scope, receive, send)

    asyncio.run(ask())
    assert (dict(sent[0]["headers"])[b"content-length"], sent[1]["body"]) == (b"3", b"")


def test_a_collector_that_raises_costs_only_its_metrics(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Collector):
        def describe(self) -> list[Metric]:
            return []

        def collect(self) -> Iterator[Metric]:
            yield GaugeMetricFamily("first", "Once more.", value=2)
            yield GaugeMetricFamily("second", "Whole.", value=3)
            raise OSError("the queue is away")

    with instrumented(greet) as api:
        Gauge("first", "Before it.", registry=api.registry).set(1)
        api.registry.register(Broken())
        samples = api.samples()
        assert (samples["first",], samples["second",], samples["facemon_source_up", "application"]) == (1, 3, 0)
    assert "OSError: the queue is away" in caplog.text
    assert "the metric first is not shown" in caplog.text


def test_pages_that_the_application_has_itself() -> None:
    async def unwell(_: Request) -> Response:
        return PlainTextResponse("unwell", 503)

    own = Starlette(routes=[Route("/health", unwell), Route("/metrics", item)])
    wrapped = BaseHTTPMiddleware(own, dispatch=lambda request, call: call(request))
    for application in (own, wrapped, Starlette(routes=[Mount("/metrics", app=greet)])):
        with pytest.raises(FacemonError, match="has a route /metrics of its own"):
            facemon.instrument(application)
    with instrumented(own, metrics_path="/facemon") as api:
        assert api.ask("GET", "/metrics")[1] == "none"
        assert api.ask("GET", "/health")[:2] == (503, "unwell")
        assert api.samples("/facemon")["api_requests_total", "503", "/health", "GET", "error"] == 1
    with instrumented(own, metrics_path=None, health_path=None) as api:
        assert api.ask("GET", "/metrics")[1] == "none"
        assert api.ask("GET", "/health")[0] == 503


def test_a_route_that_takes_every_path_hides_no_page() -> None:
    late = Starlette(routes=[Route("/{rest:path}", item), Mount("/", app=greet)])
    with instrumented(late) as api:
        assert api.ask("GET", "/health")[1] == "ok\n"
        assert ("facemon_source_up", "application") in api.samples()
        late.routes.append(Route("/metrics", item))
        assert api.ask("GET", "/metrics")[0] == 500


@pytest.mark.parametrize("paths", [{"metrics_path": "metrics"}, {"health_path": ""}, {"metrics_path": "/health"}])
def test_paths_that_cannot_be(paths: dict[str, str]) -> None:
    with pytest.raises(FacemonError, match=r"is not a path|cannot be both"):
        facemon.instrument(greet, **paths)  # type: ignore[arg-type]


def test_a_store_that_goes_and_returns(tmp_path: Path) -> None:
    from facemon.config.loader import load_config

    config = load_config(None).model_copy(
        update={
            "model": small_model(tmp_path),
            "store": load_config(None).store.model_copy(update={"path": tmp_path / "s"}),
        }
    )
    with instrumented(greet, config=config) as api:
        Gauge("drift_score", "The store's, once there was a check.", registry=api.registry)
        samples = api.samples()
        assert (samples["facemon_source_up", "store"], samples["facemon_source_up", "application"]) == (1, 0)
        assert samples["images_processed_total", "ok"] == 0
        assert ("drift_score",) not in samples
        row = {"image": "a.jpg", "glasses": "yes", "glasses_confidence": 0.9}
        assert facemon.Monitor(config).log([row]) == 1
        assert api.samples()["model_predictions_total", "glasses", "small@1", "yes"] == 1
        (tmp_path / "s").rename(tmp_path / "away")
        samples = api.samples()
        assert samples["facemon_source_up", "store"] == 0
        assert not (tmp_path / "s").exists()
        (tmp_path / "away").rename(tmp_path / "s")
        assert api.samples()["images_processed_total", "ok"] == 1
