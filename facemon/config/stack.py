"""The grafana and stack sections: the containers of the rendered stack."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from facemon.config.quantities import HttpUrl, Name, SecretFile
from facemon.config.reload import ReloadsConfig
from facemon.config.section import MisfitError, Section

Service = Literal[
    "prometheus", "alertmanager", "grafana", "node-exporter", "cadvisor", "pushgateway", "postgres", "facemon"
]
Purpose = Literal["full", "monitoring", "existing", "textfile", "pushgateway"]
PORTS_OF_A_STACK = 24
"""How many ports a stack takes, from `stack.first_port` on."""


class DatabaseConfig(Section):
    """The PostgreSQL that several Grafanas share."""

    host: Annotated[str, Field(pattern=r"^[^:\s]+:\d+$")] = "postgres:5432"
    """Where it listens; the compose file brings one of that name."""
    name: Name = "grafana"
    """The name of the database."""
    user: Name = "grafana"
    """Its user."""
    password_file: SecretFile
    """The file that holds the user's password."""


class DatasourceConfig(Section):
    """The data source by which Grafana asks Prometheus."""

    name: Name | None = None
    """None = Prometheus; in an existing Grafana facemon, because one of the same name would be replaced."""
    uid: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")] | None = None
    """None = facemon-prometheus, followed by the name of the stack."""
    url: HttpUrl | None = None
    """None = the stack's own Prometheus; with an existing Grafana and a `uid` its data source is used as it is."""
    default: bool | None = None
    """Whether Grafana asks it where a panel names none; none = yes, in an existing Grafana no."""


class GrafanaConfig(Section):
    """Grafana as the stack starts it, or an existing one."""

    admin_password_file: SecretFile | None = None
    """Unset = one that render-config makes below monitoring/secrets."""
    root_url: HttpUrl = "http://localhost:3000"
    """Without this key the port is that of the stack."""
    folder: Name | None = None
    """Where Grafana shows the dashboards.

    Unset = facemon, followed by the name of the stack.
    """
    datasource: DatasourceConfig = DatasourceConfig.model_construct()
    """Unset = the rendered stack's Prometheus."""
    import_files: bool | None = None
    """Dashboards for import by hand, in monitoring/grafana/import; unset = with stack.for existing."""
    database: DatabaseConfig | None = None
    """None = a file of its own, which one Grafana can use."""


def _ip_address(text: str) -> str:
    try:
        return str(ip_address(text.strip("[]")))
    except ValueError:
        raise ValueError(f"{text!r} is not an IP address, and compose opens ports on nothing else") from None


class StackConfig(Section):
    """The containers of the rendered stack, or what runs in the place of some of them."""

    for_: Purpose = Field(default="full", alias="for")
    """Full: the monitoring, the ML API and the exporter in containers; monitoring: the
    monitoring alone; textfile, pushgateway: the same, for batches without an exporter;
    existing: no containers, Prometheus and Grafana of this machine.

    It decides scrape jobs, targets and containers that no other key names.
    """
    name: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,14}[a-z0-9])?$")] | None = None
    """Part of all names, so that several stacks run on one machine."""
    first_port: Annotated[int, Field(ge=1024, le=65536 - PORTS_OF_A_STACK)] | None = None
    """A stack takes 24 ports from here; unset = 3000, 9090 …, of a named stack others.

    The ports of a named stack follow from its name.
    """
    selinux: bool = False
    """Whether what is mounted is labelled for SELinux."""
    reload: ReloadsConfig = ReloadsConfig.model_construct()
    """How render-config --reload reaches the servers; unset = by docker compose."""
    images: Mapping[
        Service, Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._/:-]*(:[A-Za-z0-9._-]+|@sha256:[0-9a-f]{64})$")]
    ] = Field(default_factory=dict)
    """Container images, e.g. {prometheus: "prom/prometheus:v3.5.0"}.

    A service that is not named runs the image of facemon's choice.
    """
    listen: Annotated[str, AfterValidator(_ip_address)] = "127.0.0.1"
    """The IP address on which the stack's ports are open."""
    runbook_url: HttpUrl | None = None
    """Where the runbooks are published; unset = their local path."""
    secrets_dir: Annotated[str, Field(pattern=r"^/[^\s:]*$")] = "/run/secrets"
    """The folder in which the containers see the files of secrets.

    The default is where compose mounts them.
    """

    @model_validator(mode="after")
    def _images_are_pinned(self) -> Self:
        faults = [
            (("images", service), "names no version; latest changes without notice")
            for service, image in self.images.items()
            if image.endswith(":latest")
        ]
        if faults:
            raise MisfitError(*faults)
        return self

    def named(self, text: str, between: str = "-") -> str:
        """Return `text` followed by the name of the stack, so that no other stack has it; unchanged without a name."""
        return text if self.name is None else f"{text}{between}{self.name}"
