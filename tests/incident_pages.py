"""The metrics that Prometheus scrapes while incidents are played: in good order, or as a phase has them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.serving import serving


class Pages:
    """The metrics of an API, two exporters and a node-exporter, in good order or as a phase has them."""

    def __init__(self) -> None:
        self.phase: int | None = None
        self._requests = {"success": 0.0, "error": 0.0}
        self._quick = self._slow = 0.0

    def api(self) -> str:
        bad = {0: 0.2, 1: 0.8}.get(self.phase if self.phase is not None else -1, 0.0)
        self._requests["success"] += 100 * (1 - bad)
        self._requests["error"] += 100 * bad
        self._quick += 100 * (1 - bad)
        self._slow += 100 * bad
        where = 'endpoint="/predict",method="POST"'
        every = self._quick + self._slow
        buckets = {"0.5": self._quick, "0.55": self._quick, "0.75": every, "+Inf": every}
        return _text(
            *(
                (f'api_requests_total{{{where},status="{status}",code="{code}"}}', self._requests[status])
                for status, code in (("success", 200), ("error", 500))
            ),
            *((f'api_request_latency_seconds_bucket{{{where},le="{edge}"}}', n) for edge, n in buckets.items()),
            (f"api_request_latency_seconds_sum{{{where}}}", every),
            (f"api_request_latency_seconds_count{{{where}}}", every),
            ('model_loaded{model="faces@1"}', int(self.phase != 2)),
        )

    def exporter(self) -> str:
        bad = self.phase == 0
        column, day, now = 'attribute="gender",check="model",model="faces@1"', 86_400, time.time()
        ages = {"reference": 100 * day, "evaluate": 40 * day}
        return _text(
            *([] if self.phase == 2 else [('images_processed_total{status="ok"}', 5)]),
            (f"drift_score{{{column}}}", 0.9 if bad else 0.01),
            (f"drift_p_value{{{column}}}", 0.001),
            ('drift_detected{attribute="race",check="model",model="faces@1"}', int(bad)),
            ('drift_undecided{attribute="age",check="model",model="faces@1"}', int(bad)),
            ('drift_source_detected{check="model",source="camera-5",model="faces@1"}', int(bad)),
            ('drift_source_detected{check="model",source="camera-6",model="faces@1"}', 0),
            ('drift_source_rows{check="model",source="camera-6",model="faces@1"}', 0 if bad else 400),
            ('drift_decided_timestamp_seconds{check="model",model="faces@1"}', now),
            ('drift_check_timestamp_seconds{check="model",model="faces@1"}', now - (2 * day if bad else 0)),
            ('model_accuracy{attribute="gender",model="faces@1"}', 0.5 if bad else 0.95),
            *(
                (f'facemon_last_success_timestamp_seconds{{command="{command}"}}', now - (age if bad else 0))
                for command, age in ages.items()
            ),
            ('facemon_source_up{source="store"}', int(not bad)),
            ('external_service_status{service="labelling"}', int(not bad)),
            ('clumsy_left{kind="a"}', 2 if self.phase == 1 else 1),
            ('clumsy_right{kind="a",side="x"}', 1),
            *([('clumsy_right{kind="a",side="y"}', 1)] if bad else []),
            ("unwelcome", int(bad)),
        )

    def spare(self) -> str | None:
        return None if self.phase == 1 else _text(("facemon_build_info", 1))

    def node(self) -> str:
        disk = 'device="/dev/vda1",fstype="ext4",mountpoint="/"'
        return _text(
            ("node_textfile_scrape_error", int(self.phase == 0)),
            (f"node_filesystem_avail_bytes{{{disk}}}", 1e9 if self.phase == 0 else 9e9),
            (f"node_filesystem_size_bytes{{{disk}}}", 2e10),
        )


def _text(*samples: tuple[str, float]) -> str:
    return "".join(f"{series} {value}\n" for series, value in samples)


@contextmanager
def served_page(text: Callable[[], str | None]) -> Iterator[str]:
    """Serve what `text` gives, or 503 for none; the address as HOST:PORT."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = text()
            content = (body or "").encode()
            self.send_response(503 if body is None else 200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            # The scraper may end while it is answered.
            with suppress(ConnectionError):
                self.wfile.write(content)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with serving(server):
        yield f"127.0.0.1:{server.server_port}"
