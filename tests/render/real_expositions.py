"""What the real node-exporter, Prometheus, Alertmanager and Pushgateway say on /metrics."""

import urllib.request
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import yaml

from facemon.config.document import Config
from facemon.config.prometheus import Job
from facemon.render.alert_rules import alert_rules
from tests.servers import Server, run_alertmanager, run_node_exporter, run_prometheus, run_pushgateway

Expositions = Mapping[Job, str]


def expositions(servers: Path, folder: Path, config: Config) -> Expositions:
    """What the real servers say on /metrics, once each."""
    rules = folder / "rules.yml"
    rules.write_text(yaml.safe_dump(alert_rules(config)), encoding="utf-8")
    (folder / "prometheus.yml").write_text(f"rule_files: [{rules}]\n", encoding="utf-8")
    (folder / "alertmanager.yml").write_text("route: {receiver: none}\nreceivers: [{name: none}]\n", encoding="utf-8")
    (folder / "textfile").mkdir()
    with ExitStack() as stack:
        machine = machine_of_files(folder / "machine")
        running: dict[Job, Server] = {
            "node": stack.enter_context(run_node_exporter(servers, folder / "textfile", folder, extra_args=machine)),
            "prometheus": stack.enter_context(run_prometheus(servers, folder / "prometheus.yml", folder)),
            "alertmanager": stack.enter_context(run_alertmanager(servers, folder / "alertmanager.yml", folder)),
            "pushgateway": stack.enter_context(run_pushgateway(servers, folder)),
        }
        return {job: _metrics_of(server) for job, server in running.items()}


def machine_of_files(folder: Path) -> tuple[str, ...]:
    """Options that make node-exporter measure a machine that is the same everywhere: a few files of its /proc."""
    files = {
        "stat": "cpu  900 0 90 9000 9 0 0 0 0 0\ncpu0 450 0 45 4500 5 0 0 0 0 0\ncpu1 450 0 45 4500 4 0 0 0 0 0\n",
        "meminfo": "MemTotal: 8000000 kB\nMemFree: 1000000 kB\nMemAvailable: 5000000 kB\n",
        "diskstats": "   8       0 sda 900 0 90000 90 800 0 80000 80 0 70 170 0 0 0 0 0 0\n",
        "net/dev": "a | b\n c | d\n"
        "lo: 10 1 0 0 0 0 0 0 10 1 0 0 0 0 0 0\neth0: 9000 9 0 0 0 0 0 0 8000 8 0 0 0 0 0 0\n",
        "sys/fs/file-nr": "1024\t0\t100000\n",
        "1/mounts": "/dev/sda1 / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n",
    }
    for what in ("cpu", "memory", "io"):
        lines = (f"{kind} avg10=0.00 avg60=0.00 avg300=0.00 total=5000\n" for kind in ("some", "full"))
        files[f"pressure/{what}"] = "".join(lines)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    collectors = ("cpu", "meminfo", "diskstats", "netdev", "filefd", "filesystem", "pressure", "textfile")
    return (
        f"--path.procfs={folder}",
        "--collector.disable-defaults",
        "--no-collector.netdev.netlink",
        *(f"--collector.{name}" for name in collectors),
    )


def _metrics_of(server: Server) -> str:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{server.url}/metrics") as answer:
        return str(answer.read().decode())
