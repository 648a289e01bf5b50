"""Which files start facemon by the clock: those of the schedulers that the configuration names."""

from collections.abc import Iterator
from typing import assert_never

from facemon.config.cron_times import CronTimes
from facemon.config.document import Config
from facemon.config.durations import format_duration
from facemon.config.schedule import Target
from facemon.errors import ConfigError
from facemon.render.arrival_alerts import export_stale_after
from facemon.render.drift_series import EXPORTING_TRANSPORTS
from facemon.render.schedules.airflow_dag import airflow_dag, dag_id
from facemon.render.schedules.crontab import crontab, crontab_name
from facemon.render.schedules.github_workflow import github_workflow, is_workflow, workflow_path
from facemon.render.schedules.kubernetes_job import about_check, cron_job, volume_claim
from facemon.render.schedules.kubernetes_shards import about_shards, missing_files_notes, shards_job
from facemon.render.schedules.systemd_units import (
    check_unit,
    export_service,
    export_timer,
    export_unit,
    service,
    timer,
)
from facemon.render.stack_text import commented_text, documents_text, yaml_text
from facemon.render.stale_alerts import stale_after

_FOLDER = "schedules"


def schedule_files(config: Config) -> Iterator[tuple[str, str]]:
    """Paths and texts; ConfigError for what a scheduler cannot be told."""
    for target in config.schedule.targets:
        yield from _files(target, config)


def is_schedule(path: str) -> bool:
    """Whether a path is one of a schedule's."""
    return is_workflow(path) or path.startswith(f"{_FOLDER}/")


def require_targets(config: Config) -> None:
    """ConfigError where schedules are asked for by name, but the configuration names no scheduler."""
    if not config.schedule.targets:
        raise ConfigError(
            "schedule.targets: names no scheduler, so that there is nothing to render",
            hint="name some of cron, systemd, github, airflow, kubernetes there",
        )


def schedule_notes(config: Config) -> Iterator[str]:
    """What a person should be told of them."""
    schedule = config.schedule
    if not schedule.targets:
        return
    gap, oldest = CronTimes.parse(schedule.drift_check).longest_gap(), stale_after(config)
    if gap >= oldest:
        yield (
            f"schedule.drift_check leaves up to {format_duration(gap)} between two checks, and alerts take a check for "
            f"stale after {format_duration(oldest)}: raise alerts.DriftCheckStale.threshold"
        )
    if schedule.directory is None and set(schedule.targets) - {"kubernetes"}:
        yield (
            f"schedules name the folder {config.directory}: set schedule.directory if they run on another machine, "
            "or if --check is to say the same on every one"
        )
    yield from _export_notes(config)
    if schedule.shards is not None:
        yield from missing_files_notes(config, schedule.shards)


def _export_notes(config: Config) -> Iterator[str]:
    """Whether what Prometheus expects of the store is what comes by the clock."""
    export, transport = config.schedule.export, config.prometheus.store_metrics_from
    if export is None:
        if transport in EXPORTING_TRANSPORTS and set(config.schedule.targets) & {"cron", "systemd"}:
            yield (
                f"prometheus.store_metrics_from is {transport}, and nothing that is rendered runs export-metrics: "
                f"name the {transport} in schedule.export, or run it by a line of your own"
            )
        return
    end = "textfile" if export.pushgateway is None else "pushgateway"
    if transport != end:
        yield (
            f"schedule.export names a {end}, and prometheus.store_metrics_from is {transport}: a Prometheus that "
            "scrapes both has the store's series twice"
        )
    gap, oldest = CronTimes.parse(export.times).longest_gap(), export_stale_after(config)
    if gap >= oldest:
        yield (
            f"schedule.export.times leaves up to {format_duration(gap)} between two exports, and alerts take an export "
            f"for stale after {format_duration(oldest)}: raise alerts.ExportStale.threshold"
        )


def _files(target: Target, config: Config) -> Iterator[tuple[str, str]]:
    folder = f"{_FOLDER}/{target}"
    match target:
        case "cron":
            yield f"{folder}/{crontab_name(config)}", commented_text(crontab(config))
        case "systemd":
            unit, exports = (f"{folder}/{name(config)}" for name in (check_unit, export_unit))
            yield f"{unit}.service", commented_text(service(config))
            yield f"{unit}.timer", commented_text(timer(config))
            if (export := config.schedule.export) is not None:
                yield f"{exports}.service", commented_text(export_service(config, export))
                yield f"{exports}.timer", commented_text(export_timer(config, export))
        case "github":
            yield workflow_path(config), yaml_text(github_workflow(config))
        case "airflow":
            yield f"{folder}/{dag_id(config)}.py", commented_text(airflow_dag(config))
        case "kubernetes":
            yield (
                f"{folder}/drift-check.yaml",
                documents_text(about_check(config), (volume_claim(config), cron_job(config))),
            )
            if (shards := config.schedule.shards) is not None:
                yield (
                    f"{folder}/predict-shards.yaml",
                    documents_text(about_shards(config), (shards_job(config, shards),)),
                )
        case _:
            assert_never(target)
