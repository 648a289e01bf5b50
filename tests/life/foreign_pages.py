"""A job of other people in the same Prometheus: everything of ours by name, and all of it bad."""

import time

_LABELS = 'endpoint="/predict",method="POST"'
_COLUMN = 'attribute="gender",check="model",model="faces@1"'
_DAY = 86_400


class ForeignJob:
    """A page with metrics that are named like facemon's and the servers', and would all be alarming."""

    def __init__(self) -> None:
        self._requests = 0.0

    def page(self) -> str:
        """The page; what is counted grows with each scrape."""
        self._requests += 100
        old = time.time() - 400 * _DAY
        return "".join(f"{series} {value}\n" for series, value in (*self._counted(), *_gauges(old)))

    def _counted(self) -> tuple[tuple[str, float], ...]:
        count = self._requests
        return (
            (f'api_requests_total{{{_LABELS},status="error",code="500"}}', count),
            *(
                (f'api_request_latency_seconds_bucket{{{_LABELS},le="{edge}"}}', value)
                for edge, value in (("0.5", 0.0), ("0.55", 0.0), ("10.0", count), ("+Inf", count))
            ),
            (f"api_request_latency_seconds_sum{{{_LABELS}}}", 5 * count),
            (f"api_request_latency_seconds_count{{{_LABELS}}}", count),
            ('prometheus_rule_evaluation_failures_total{rule_group="theirs"}', count),
            ('prometheus_remote_storage_samples_failed_total{remote_name="theirs"}', count),
            ('prometheus_remote_storage_samples_dropped_total{remote_name="theirs"}', count),
            ('alertmanager_notifications_failed_total{integration="webhook"}', count),
        )


def _gauges(old: float) -> tuple[tuple[str, float], ...]:
    return (
        ('model_loaded{model="faces@1"}', 0),
        (f"drift_score{{{_COLUMN}}}", 0.9),
        (f"drift_p_value{{{_COLUMN}}}", 0.0001),
        (f"drift_detected{{{_COLUMN}}}", 1),
        (f"drift_undecided{{{_COLUMN}}}", 1),
        ('drift_source_detected{check="model",source="theirs",model="faces@1"}', 1),
        ('drift_source_rows{check="model",source="theirs",model="faces@1"}', 0),
        ('drift_check_timestamp_seconds{check="model",model="faces@1"}', old),
        ('drift_decided_timestamp_seconds{check="model",model="faces@1"}', time.time()),
        ('model_accuracy{attribute="gender",model="faces@1"}', 0.1),
        *((f'facemon_last_success_timestamp_seconds{{command="{command}"}}', old)
          for command in ("predict", "reference", "drift-check", "evaluate", "export-metrics")),
        ('facemon_source_up{source="store"}', 0),
        ('external_service_status{service="theirs"}', 0),
        ('images_processed_total{status="ok"}', 5),
        ("node_textfile_scrape_error", 1),
        ('node_textfile_mtime_seconds{file="/theirs/facemon.prom"}', old),
        ('push_time_seconds{job="facemon"}', old),
        ("prometheus_config_last_reload_successful", 0),
        ("alertmanager_config_last_reload_successful", 0),
    )  # fmt: skip
