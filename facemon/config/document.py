"""The whole of `facemon.yaml` as one value."""

from pathlib import Path

from pydantic import Field

from facemon.config.drift import DriftConfig, TablesConfig
from facemon.config.model import ModelConfig
from facemon.config.monitoring import (
    AlertmanagerConfig,
    AlertsConfig,
    GrafanaConfig,
    PrometheusConfig,
    StackConfig,
)
from facemon.config.section import Section
from facemon.config.serving import ApiConfig, ExporterConfig, PredictConfig, StoreConfig


class Config(Section):
    """Everything that facemon is told; defaults where the file is silent."""

    version: int = Field(default=1, ge=1, le=1)
    model: ModelConfig
    """A bundle's name in the file becomes the bundle itself here."""
    store: StoreConfig = StoreConfig()
    predict: PredictConfig = PredictConfig()
    tables: TablesConfig = TablesConfig()
    drift: DriftConfig = DriftConfig()
    api: ApiConfig = ApiConfig()
    exporter: ExporterConfig = ExporterConfig()
    prometheus: PrometheusConfig = PrometheusConfig()
    alerts: AlertsConfig = AlertsConfig()
    alertmanager: AlertmanagerConfig = AlertmanagerConfig()
    grafana: GrafanaConfig = GrafanaConfig()
    stack: StackConfig = StackConfig()
    directory: Path = Field(default=Path(), exclude=True)
    """The folder that relative paths are relative to: the file's own."""
