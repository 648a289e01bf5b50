"""A stand-in for Grafana, which answers the JSON of its documented HTTP API from what render-config wrote.

It knows health, data sources and dashboards by their uid, and wants a bearer token for the last two.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.read_yaml import read_yaml
from tests.serving import serving

TOKEN = "glsa_1234567890"


@dataclass
class Grafana:
    """What it has; a test changes that."""

    url: str = ""
    database: str = "ok"
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    health: dict[str, Any] = field(default_factory=lambda: {"status": "OK", "message": "Successfully queried"})
    dashboards: dict[str, dict[str, Any]] = field(default_factory=dict)

    def answer(self, path: str, token: str) -> tuple[int, Any]:
        """The status and the JSON of an answer to GET."""
        if path == "/api/health":
            return 200, {"commit": "abc", "database": self.database, "version": "12.3.0"}
        if token != f"Bearer {TOKEN}":
            return 401, {"message": "Unauthorized"}
        match path.split("/")[2:]:
            case ["datasources", "uid", uid] if uid in self.sources:
                return 200, {"id": 1, "orgId": 1, "readOnly": True, **self.sources[uid]}
            case ["datasources", "uid", uid, "health"] if uid in self.sources:
                return (200 if self.health["status"] == "OK" else 400), self.health
            case ["dashboards", "uid", uid] if uid in self.dashboards:
                board = {**self.dashboards[uid], "id": 7, "version": 3}
                return 200, {"meta": {"provisioned": True}, "dashboard": board}
        return 404, {"message": "not found"}


@contextmanager
def grafana(folder: Path) -> Iterator[Grafana]:
    """Serve what was rendered below a folder, as Grafana would after its provisioning, until the block ends."""
    rendered = folder / "monitoring" / "grafana"
    found = Grafana()
    provisioned = read_yaml((rendered / "provisioning" / "datasources" / "prometheus.yml").read_text())
    found.sources = {each["uid"]: each for each in provisioned["datasources"]}
    boards = [json.loads(path.read_text()) for path in (rendered / "dashboards").glob("*.json")]
    found.dashboards = {board["uid"]: board for board in boards}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, content = found.answer(self.path, self.headers.get("Authorization", ""))
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}"
    with serving(server):
        yield found
