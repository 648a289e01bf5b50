"""What the rendered prometheus.yml takes in and sends on, with its limits and credentials: real on both sides."""

import base64
import ssl
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from facemon.render.stack import Part, render_stack
from tests.metrics.gateways import write_certificate
from tests.patience import HANG_S
from tests.render.configurations import config_of
from tests.servers import query, run_node_exporter, run_prometheus, wait_for_query
from tests.serving import serving

pytestmark = [pytest.mark.servers, pytest.mark.long_proof]

SERVER_NAME = "archive.example"
SCRAPED = """\
prometheus:
  scrape_interval: 1s
  store_metrics_from: textfile
  jobs: [node]
  targets: {{node: ["{node}"]}}
  alertmanagers: []
  external_labels: {{site: north}}
"""
WRITTEN = """\
  remote_write:
    - url: {url}
      name: archive
      basic_auth: {{username: writer, password_file: secrets/password}}
      tls: {{ca_file: ca.pem, cert_file: cert.pem, key_file: key.pem, server_name: {server_name}}}
      keep: ["model_*", drift_score]
      queue: {{batch_send_deadline: 500ms, max_shards: 1}}
stack: {{secrets_dir: {secrets}}}
"""
METRICS = """\
model_accuracy{attribute="a"} 0.5
drift_score{attribute="a"} 0.25
drift_score_of_another 1
my_model_x 1
"""


def rendered(text: str, folder: Path) -> Path:
    """The rendered prometheus.yml, with the rules beside it."""
    for path, content in render_stack(config_of(text), only=[Part.PROMETHEUS]).files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    return folder / "monitoring/prometheus/prometheus.yml"


@contextmanager
def guarded(storage: str, folder: Path, client: Path) -> Iterator[tuple[str, set[str | None]]]:
    """A door with TLS before a storage: it lets in who has the client's certificate, and notes the credentials."""
    credentials: set[str | None] = set()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            credentials.add(self.headers["Authorization"])
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept = {name: value for name, value in self.headers.items() if name.startswith(("Content-", "X-Prom"))}
            request = urllib.request.Request(f"{storage}{self.path}", body, kept)
            with urllib.request.urlopen(request, timeout=HANG_S) as answer:
                self.send_response(answer.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing: what arrives is asked of the storage."""

    certificate = write_certificate(folder, SERVER_NAME)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(client)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with serving(server):
        yield f"https://127.0.0.1:{server.server_port}/api/v1/write", credentials


def test_what_is_kept_arrives_from_who_it_says(each_generation: Path, tmp_path: Path) -> None:
    secrets, textfiles = tmp_path / "run", tmp_path / "textfiles"
    secrets.mkdir()
    textfiles.mkdir()
    (textfiles / "facemon.prom").write_text(METRICS)
    client = write_certificate(tmp_path, "client")
    empty = tmp_path / "empty.yml"
    empty.write_text("{}")
    receiver = ["--web.enable-remote-write-receiver"]
    with (
        run_prometheus(each_generation, empty, tmp_path / "storage", extra_args=receiver) as storage,
        guarded(storage.url, tmp_path, client) as (url, credentials),
        run_node_exporter(each_generation, textfiles, tmp_path) as node,
    ):
        # The files lie where compose mounts them.
        (secrets / "password").write_text("of the writer")
        (secrets / "ca.pem").write_bytes((tmp_path / f"{SERVER_NAME}.pem").read_bytes())
        (secrets / "cert.pem").write_bytes(client.read_bytes())
        (secrets / "key.pem").write_bytes(client.with_suffix(".key").read_bytes())
        places = {"node": node.url.removeprefix("http://"), "url": url, "secrets": secrets, "server_name": SERVER_NAME}
        file = rendered((SCRAPED + WRITTEN).format(**places), tmp_path)
        with run_prometheus(each_generation, file, tmp_path / "own") as prometheus:
            wait_for_query(storage.url, 'model_accuracy{site="north", job="node"}')
            wait_for_query(storage.url, 'drift_score{site="north"}')
            assert len(query(prometheus.url, "my_model_x")) == 1
            sent = {labels["__name__"] for labels, _ in query(storage.url, '{__name__!=""}')}
    assert sent == {"model_accuracy", "drift_score"}
    assert credentials == {f"Basic {base64.b64encode(b'writer:of the writer').decode()}"}


@pytest.mark.parametrize("limit", ["samples: 5", "labels: 1", "label_name_length: 3", "label_value_length: 3"])
def test_a_scrape_that_brings_too_much_is_refused_whole(limit: str, newer_servers: Path, tmp_path: Path) -> None:
    textfiles = tmp_path / "textfiles"
    textfiles.mkdir()
    with run_node_exporter(newer_servers, textfiles, tmp_path) as node:
        text = SCRAPED.format(node=node.url.removeprefix("http://"))
        file = rendered(f"{text}  limits: {{{limit}}}\n", tmp_path)
        with run_prometheus(newer_servers, file, tmp_path) as prometheus:
            wait_for_query(prometheus.url, 'up{job="node"} == 0')
            assert query(prometheus.url, "node_time_seconds") == []
