"""The whole road of the data, looked at from the configuration to the notification; a look changes nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.application.operation import Operation
from facemon.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from facemon.config.document import Config
    from facemon.doctor.diagnosis import Diagnosis


@dataclass(frozen=True, slots=True)
class DiagnosisRequest:
    """What is looked at beside the configuration, the model and the store; None is not asked for."""

    prometheus: str | None = None
    alertmanager: str | None = None
    """None for those that Prometheus names."""
    grafana: str | None = None
    grafana_token_file: Path | None = None
    api: str | None = None
    """None for where the configuration lets it listen, if that is an address of this machine alone."""
    exporter: str | None = None
    """The same for the exporter."""
    textfile: Path | None = None
    """None for that of `schedule.export`."""
    out: Path = Path()
    """Where the stack was rendered."""
    config: Path | None = None
    """The file of `--config`, which commands to copy repeat; None for the usual one."""
    alerts: tuple[str, ...] = ()
    """Alerts of which it is asked why they do not fire."""


def diagnose(open_operation: Callable[[], Operation], request: DiagnosisRequest) -> "Diagnosis":
    """Look at every area; a configuration that cannot be read is a finding. UsageError for wrong addresses or files."""
    from facemon.application.decision_plans import plan_of_reference
    from facemon.doctor import configuration
    from facemon.doctor.diagnosis import Diagnosis
    from facemon.doctor.examination import AskedServers, Examination
    from facemon.doctor.registry import AREAS
    from facemon.doctor.whole_commands import Place
    from facemon.render.purpose import fitted

    servers = AskedServers(
        _address("--prometheus", request.prometheus),
        _address("--alertmanager", request.alertmanager),
        _address("--grafana", request.grafana),
        _token(request.grafana, request.grafana_token_file),
        _address("--api", request.api),
        _address("--exporter", request.exporter),
        request.textfile,
        request.out,
        request.alerts,
    )
    if servers.alerts and servers.prometheus is None:
        raise UsageError("--alert asks Prometheus", "add --prometheus URL")
    try:
        operation = open_operation()
        config = fitted(operation.config, request.out)
    except ConfigError as error:
        return Diagnosis(((configuration.AREA.name, configuration.unreadable(error)),))
    _refuse_unknown_alerts(config, servers.alerts)
    examination = Examination(
        operation.config,
        config,
        servers,
        lambda: operation.open_ledger(upgrade=False),
        lambda ledger, reference: plan_of_reference(operation, ledger, reference, ledger.now()),
    )
    told = _told_servers(config, request.out)
    place = Place(request.config, request.out, examination.edited_parts, examination.parts_alone, told)
    return Diagnosis(tuple((area.name, place.complete(area.examine(examination))) for area in AREAS))


def _told_servers(config: "Config", out: Path) -> frozenset[str]:
    """The servers that `render-config --reload` reaches."""
    from facemon.render.reload import servers_of

    try:
        return frozenset(server.kind for server in servers_of(config, out))
    except UsageError:
        return frozenset()


def _refuse_unknown_alerts(config: "Config", names: Sequence[str]) -> None:
    from facemon.config.alerts import BUILT_IN
    from facemon.render.alert_rules import alerts_of

    known = {*BUILT_IN, *(alert.name for alert in alerts_of(config))} if names else set()
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f"--alert {unknown[0]}: there is no such alert", "facemon explain lists their names")


def _address(option: str, url: str | None) -> str | None:
    """An address without a slash at its end; UsageError for one that is none, or that holds a secret."""
    import re

    from facemon.config.web_address import without_secrets

    if url is None:
        return None
    if not re.fullmatch(r"https?://[^\s/@?#]+(/[^\s?#]*)?", url):
        raise UsageError(f"{option}: is not the address of a server", "write http://HOST:PORT, without a user")
    try:
        return without_secrets(url).rstrip("/")
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None


def _token(url: str | None, file: Path | None) -> str | None:
    from facemon.application.push_target import token_of

    if file is None:
        return None
    if url is None:
        raise UsageError("--grafana-token-file needs --grafana", "add --grafana URL")
    return token_of("--grafana-token-file", file)
