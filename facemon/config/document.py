"""The whole of `facemon.yaml` as one value."""

import re
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from facemon.config.alertmanager import AlertmanagerConfig
from facemon.config.alerts import AlertsConfig
from facemon.config.drift import DriftConfig, TablesConfig
from facemon.config.evaluation import EvaluateConfig
from facemon.config.metrics import MetricsConfig
from facemon.config.model import DERIVED_SUFFIXES, ModelConfig
from facemon.config.prometheus import PrometheusConfig
from facemon.config.schedule import ScheduleConfig
from facemon.config.section import MisfitError, Section
from facemon.config.serving import ApiConfig, ExporterConfig, PredictConfig, StoreConfig
from facemon.config.stack import GrafanaConfig, StackConfig

_VERSION = re.compile(r":v?(\d+)\.(\d+)[^/]*$")


class Config(Section):
    """Everything that facemon is told; defaults where the file is silent."""

    version: int = Field(default=1, ge=1, le=1)
    """Of this file's format."""
    model: ModelConfig
    """A bundle's name in the file becomes the bundle itself here."""
    store: StoreConfig = StoreConfig.model_construct()
    predict: PredictConfig = PredictConfig.model_construct()
    tables: TablesConfig = TablesConfig.model_construct()
    drift: DriftConfig = DriftConfig.model_construct()
    evaluate: EvaluateConfig = EvaluateConfig.model_construct()
    metrics: MetricsConfig = MetricsConfig.model_construct()
    api: ApiConfig = ApiConfig.model_construct()
    exporter: ExporterConfig = ExporterConfig.model_construct()
    prometheus: PrometheusConfig = PrometheusConfig.model_construct()
    alerts: AlertsConfig = AlertsConfig.model_construct()
    alertmanager: AlertmanagerConfig = AlertmanagerConfig.model_construct()
    grafana: GrafanaConfig = GrafanaConfig.model_construct()
    stack: StackConfig = StackConfig.model_construct()
    schedule: ScheduleConfig = ScheduleConfig.model_construct()
    directory: Path = Field(default=Path(), exclude=True)
    """The folder that relative paths are relative to: the file's own."""
    file_name: Path = Field(default=Path("facemon.yaml"), exclude=True)
    """The file's name in that folder."""
    absolute_paths: frozenset[Path] = Field(default=frozenset(), exclude=True)
    """The paths that are absolute in the file itself, and so not to be looked for beside it."""

    @model_validator(mode="after")
    def _servers_read_their_files(self) -> Self:
        images = self.stack.images
        servers = (
            ("alertmanager", images.get("alertmanager", ""), self.alertmanager),
            ("prometheus", images.get("prometheus", ""), self.prometheus),
        )
        for service, image, section in servers:
            found = _VERSION.search(image)
            version = (int(found[1]), int(found[2])) if found else section.version
            # Prometheus began at 2 for all that is rendered: another number is of an image with versions of its own.
            if version < section.version and (service == "alertmanager" or version[0] == section.version[0]):
                target = section.target_version
                fault = f"is older than {service}.target_version, {target}: lower that, or use a newer image"
                raise MisfitError((("stack", "images", service), fault))
        return self

    @model_validator(mode="after")
    def _prometheus_knows_what_keeps_firing(self) -> Self:
        target = self.prometheus.target_version
        fault = f"needs Prometheus 2.42, and prometheus.target_version is {target}"
        if not self.prometheus.keeps_firing and (faults := [(("alerts", *at), fault) for at in self.alerts.keeping]):
            raise MisfitError(*faults)
        return self

    @model_validator(mode="after")
    def _a_label_has_one_origin(self) -> Self:
        fault = "is set by metrics.labels, too: a series has one value of a label"
        both = [name for name in self.prometheus.target_labels if name in self.metrics.labels]
        if faults := [(("prometheus", "target_labels", name), fault) for name in both]:
            raise MisfitError(*faults)
        return self

    @model_validator(mode="after")
    def _kinds_are_of_other_columns(self) -> Self:
        tables = self.tables
        said = "names images, times or sources, which are not compared"
        taken = dict.fromkeys((tables.image, tables.observed_at, tables.source), said)
        for attribute in self.model.attributes:
            for column in (attribute.name, *(f"{attribute.name}{suffix}" for suffix in DERIVED_SUFFIXES)):
                said = f"is a column of the attribute {attribute.name}, whose kind the model says"
                taken |= {column: said, tables.columns.get(column, column): said}
        if faults := [(("tables", "kinds", name), taken[name]) for name in tables.kinds if name in taken]:
            raise MisfitError(*faults)
        return self
