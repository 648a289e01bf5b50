"""The services that monitor: what each one is told, sees, stores and listens on."""

import re
from typing import Any

from facemon.config.document import Config
from facemon.config.durations import format_duration
from facemon.config.prometheus import Job
from facemon.config.stack import DatabaseConfig, Service
from facemon.render.container import (
    Limits,
    Variable,
    answers,
    container,
    folder_bound,
    healthy,
    image_of,
    published,
)
from facemon.render.prometheus_config import expands_labels, runs_here
from facemon.render.provisioning import dashboards_dir
from facemon.render.published_ports import published_port
from facemon.render.purpose import HOST, address_for_containers
from facemon.render.replicas import HA_PROFILE, REPLICA_VARIABLE, alertmanager_names, replica_name
from facemon.render.secret_files import RUN_SECRETS, secret_name

DATABASE_NETWORK = "database"
DOUBLE_JOBS: tuple[Job, ...] = ("api", "exporter")
"""What runs on the machine itself where the monitoring is started alone, else in a container."""
_POSTGRES = "postgres:"
_VERSION_2 = re.compile(r".*:v?2(\..*)?")
_GATEWAY = "host-gateway"
"""The machine's own address in the network of containers, as compose writes it."""
_GRAFANA_USER = Variable("${FACEMON_GRAFANA_USER:-472}:0")
"""The user of Grafana, by default the image's own; what it stores belongs to the group 0, as the image has it."""


def prometheus(number: int, config: Config) -> dict[str, Any]:
    """One Prometheus; all of them read the same files."""
    name = replica_name("prometheus", number)
    command = [
        "--config.file=/etc/prometheus/prometheus.yml",
        "--storage.tsdb.path=/prometheus",
        f"--storage.tsdb.retention.time={format_duration(config.prometheus.retention)}",
        "--rules.alert.for-grace-period=1m",
        *_opened_at(config.prometheus.url),
    ]
    if expands_labels(config.prometheus) and _VERSION_2.fullmatch(image_of("prometheus", config)):
        command.append("--enable-feature=expand-external-labels")
    content = {
        **_replica("prometheus", number, config, Limits(memory="2G")),
        "command": command,
        "extra_hosts": [f"{HOST}:{_GATEWAY}", *_on_this_machine(config)],
        "ports": published(config, published_port("prometheus", number, config), 9090),
        "volumes": [folder_bound("./prometheus", "/etc/prometheus", config), f"{name}-data:/prometheus"],
        "healthcheck": answers("http://localhost:9090/-/ready"),
    }
    if config.prometheus.replicas > 1:
        content["environment"] = {REPLICA_VARIABLE: name}
    return content


def name_variable(job: Job) -> str:
    """The variable of the name by which Prometheus finds a program of this machine."""
    return f"FACEMON_{job.upper()}_NAME"


def _on_this_machine(config: Config) -> list[Variable]:
    """The API and the exporter under the names that they have as containers, for a stack without these.

    The compose file that starts them gives the variable another name, because a host's name goes before a container's.
    """
    jobs = [job for job in DOUBLE_JOBS if config.stack.for_ == "full" and runs_here(job, config)]
    return [
        Variable(f"${{{name_variable(job)}:-{job}}}:{address_for_containers(job, config) or _GATEWAY}") for job in jobs
    ]


def alertmanager(number: int, config: Config) -> dict[str, Any]:
    """One Alertmanager; several are a cluster that tells everything once."""
    name = replica_name("alertmanager", number)
    return {
        **_replica("alertmanager", number, config, Limits(memory="256M")),
        "command": [
            "--config.file=/etc/alertmanager/alertmanager.yml",
            "--storage.path=/alertmanager",
            *_opened_at(config.alertmanager.url),
            *_cluster(name, alertmanager_names(config)),
        ],
        "ports": published(config, published_port("alertmanager", number, config), 9093),
        "volumes": [folder_bound("./alertmanager", "/etc/alertmanager", config), f"{name}-data:/alertmanager"],
        "healthcheck": answers("http://localhost:9093/-/ready"),
    }


def _opened_at(url: str) -> tuple[str, str]:
    """The address in links, and paths that stay as they are: a proxy that adds a path takes it away again."""
    return f"--web.external-url={url}", "--web.route-prefix=/"


def _cluster(name: str, names: tuple[str, ...]) -> list[str]:
    if len(names) == 1:
        # It would open a port for others, and there are none.
        return ["--cluster.listen-address="]
    # Each names all others: whichever is started or replaced first, they find each other.
    peers = [f"--cluster.peer={other}:9094" for other in names if other != name]
    return ["--cluster.listen-address=0.0.0.0:9094", *peers]


def grafana(number: int, config: Config) -> dict[str, Any]:
    """One Grafana; several share a database."""
    name = replica_name("grafana", number)
    settings = config.grafana
    environment = {
        "GF_SECURITY_ADMIN_PASSWORD__FILE": f"{RUN_SECRETS}/{secret_name(settings.admin_password_file or '')}",
        "GF_SERVER_ROOT_URL": settings.root_url,
        "GF_USERS_ALLOW_SIGN_UP": "false",
        "GF_ANALYTICS_REPORTING_ENABLED": "false",
    }
    content = {
        **_replica("grafana", number, config, Limits(memory="512M")),
        "user": _GRAFANA_USER,
        "depends_on": {"prometheus": {"condition": "service_healthy"}},
        "environment": environment,
        "ports": published(config, published_port("grafana", number, config), 3000),
        "tmpfs": ["/tmp"],  # noqa: S108 - inside the container
        "volumes": [
            folder_bound("./grafana/provisioning", "/etc/grafana/provisioning", config),
            folder_bound("./grafana/dashboards", dashboards_dir(config), config),
            f"{name}-data:/var/lib/grafana",
        ],
        "healthcheck": answers("http://localhost:3000/api/health"),
    }
    if settings.database is not None:
        environment |= _database(settings.database)
    if has_own_database(config):
        content["depends_on"]["postgres"] = {"condition": "service_healthy"}
        content["networks"] = ["default", DATABASE_NETWORK]
    return content


def has_own_database(config: Config) -> bool:
    """Whether the stack brings the PostgreSQL that its Grafanas share."""
    database = config.grafana.database
    return database is not None and database.host.startswith(_POSTGRES)


def _database(database: DatabaseConfig) -> dict[str, str]:
    return {
        "GF_DATABASE_TYPE": "postgres",
        "GF_DATABASE_HOST": database.host,
        "GF_DATABASE_NAME": database.name,
        "GF_DATABASE_USER": database.user,
        "GF_DATABASE_PASSWORD__FILE": f"{RUN_SECRETS}/{secret_name(database.password_file)}",
    }


def postgres(database: DatabaseConfig, config: Config) -> dict[str, Any]:
    """The database that several Grafanas share; nothing else reaches it."""
    port = database.host.removeprefix(_POSTGRES)
    data = "/var/lib/postgresql/data"
    return {
        **container("postgres", "postgres", config, Limits(memory="512M")),
        # The image's own user from the start: as root it would need the right to take another's place.
        "user": "postgres",
        "command": ["-p", port],
        "environment": {
            "POSTGRES_DB": database.name,
            "POSTGRES_USER": database.user,
            "POSTGRES_PASSWORD_FILE": f"{RUN_SECRETS}/{secret_name(database.password_file)}",
            "PGDATA": data,
        },
        "networks": [DATABASE_NETWORK],
        "shm_size": "128M",
        "tmpfs": ["/tmp", "/var/run/postgresql"],  # noqa: S108 - inside the container
        "volumes": [f"postgres-data:{data}"],
        "healthcheck": healthy("pg_isready", "-h", "localhost", "-p", port, "-U", database.user, "-d", database.name),
    }


def node_exporter(config: Config) -> dict[str, Any]:
    """The machine's own figures, and the textfile where that is the transport of the store's metrics."""
    command = [
        "--path.rootfs=/host",
        "--collector.filesystem.mount-points-exclude=^/(dev|proc|sys|run|var/lib/docker/.+)($|/)",
    ]
    volumes = ["/:/host:ro,rslave"]
    if config.prometheus.store_metrics_from == "textfile":
        command.append("--collector.textfile.directory=/textfile")
        volumes.append(folder_bound("./textfile", "/textfile", config))
    return {
        **_seeing_the_machine("node-exporter", config, Limits(memory="128M")),
        "command": command,
        "pid": "host",
        "expose": ["9100"],
        "volumes": volumes,
        "healthcheck": answers("http://localhost:9100/"),
    }


def cadvisor(config: Config) -> dict[str, Any]:
    """The containers' figures. It runs as root to read the control groups of others, but not in privileged mode."""
    return {
        **_seeing_the_machine("cadvisor", config, Limits(memory="512M")),
        # To walk the layers of other users' containers, and to read the kernel's messages of processes out of memory.
        "cap_add": ["DAC_READ_SEARCH", "SYSLOG"],
        # Labels of containers become labels of every series, and no panel asks for them.
        "command": ["--store_container_labels=false"],
        "devices": ["/dev/kmsg"],
        "expose": ["8080"],
        "volumes": ["/:/rootfs:ro", "/var/run:/var/run:ro", "/sys:/sys:ro", "/var/lib/docker:/var/lib/docker:ro"],
        "healthcheck": answers("http://localhost:8080/healthz"),
    }


def pushgateway(config: Config) -> dict[str, Any]:
    """Where jobs that end push to; what they pushed outlives a restart."""
    return {
        **container("pushgateway", "pushgateway", config, Limits(memory="128M")),
        "command": ["--persistence.file=/pushgateway/metrics"],
        "ports": published(config, published_port("pushgateway", 1, config), 9091),
        "volumes": ["pushgateway-data:/pushgateway"],
        "healthcheck": answers("http://localhost:9091/-/ready"),
    }


def _seeing_the_machine(service: Service, config: Config, limits: Limits) -> dict[str, Any]:
    """A container that reads the machine's own files, which must never get another label of SELinux."""
    content = container(service, service, config, limits)
    if config.stack.selinux:
        content["security_opt"] = [*content["security_opt"], "label:disable"]
    return content


def _replica(service: Service, number: int, config: Config, limits: Limits) -> dict[str, Any]:
    content = container(replica_name(service, number), service, config, limits)
    return content if number == 1 else {**content, "profiles": [HA_PROFILE]}
