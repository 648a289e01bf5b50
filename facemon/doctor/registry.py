"""Which areas are looked at, along the road of the data: of findings that are equally bad the first is the cause."""

from typing import Any

from facemon.doctor import (
    alertmanager,
    alerts,
    api,
    arriving_metrics,
    checks,
    configuration,
    deliveries,
    exporter,
    grafana,
    model,
    prometheus,
    reference,
    rendered_files,
    reports,
    rules,
    running_commands,
    secrets,
    store,
    textfile,
    versions,
)
from facemon.doctor.area import Area

AREAS: tuple[Area[Any], ...] = (
    configuration.AREA,
    versions.AREA,
    model.AREA,
    store.AREA,
    running_commands.AREA,
    deliveries.AREA,
    reference.AREA,
    checks.AREA,
    reports.AREA,
    rendered_files.AREA,
    secrets.AREA,
    textfile.AREA,
    api.AREA,
    exporter.AREA,
    prometheus.AREA,
    arriving_metrics.AREA,
    rules.AREA,
    alerts.AREA,
    alertmanager.AREA,
    grafana.AREA,
)
