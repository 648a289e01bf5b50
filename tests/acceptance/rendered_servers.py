"""The exporter, Prometheus and Alertmanager as `render-config` configures them, beside a store."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import RunFacemon
from tests.server.exporters import exporter
from tests.servers import Server, free_port, run_alertmanager, run_prometheus


@contextmanager
def rendered_servers(
    facemon: RunFacemon, servers: Path, folder: Path, configuration: str, receivers: Mapping[str, str]
) -> Iterator[Server]:
    """Run the servers of a folder's store until the block ends; the server that is yielded is Prometheus.

    `configuration` becomes the folder's `facemon.yaml`, with `{exporter}` for a port, `{alertmanager}` for an address
    and one field for each URL of the `receivers`.
    """
    port = free_port()
    routes = folder / "monitoring" / "alertmanager" / "alertmanager.yml"
    _configure(folder, configuration, receivers, port, "127.0.0.1:9093")
    assert facemon("render-config", "--only", "alertmanager", cwd=folder).returncode == 0
    with run_alertmanager(servers, routes, folder / "alertmanager") as alertmanager:
        # Its address is known only once it runs.
        _configure(folder, configuration, receivers, port, alertmanager.url.removeprefix("http://"))
        assert facemon("render-config", cwd=folder).returncode == 0
        rules = folder / "monitoring" / "prometheus" / "prometheus.yml"
        with (
            exporter(folder, listen=f"127.0.0.1:{port}"),
            run_prometheus(servers, rules, folder / "prometheus") as prometheus,
        ):
            yield prometheus


def _configure(folder: Path, configuration: str, receivers: Mapping[str, str], port: int, alertmanager: str) -> None:
    text = configuration.format(exporter=port, alertmanager=alertmanager, **receivers)
    (folder / "facemon.yaml").write_text(text)
