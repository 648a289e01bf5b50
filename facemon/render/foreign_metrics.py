"""The metrics of other programs that rules and dashboards ask for: exporters, the Pushgateway, the stack itself."""

from facemon.domain.metric_catalogue import MetricType
from facemon.render.promql import Series

_C, _G = MetricType.COUNTER, MetricType.GAUGE
_FILESYSTEM = ("device", "fstype", "mountpoint")
_OF_ALERTS = (
    "alertname", "alertstate", "area", "severity", "job", "instance", "attribute", "check", "endpoint", "model",
    "source",
)  # fmt: skip

UP = Series("up", _G)
ALERTS = Series("ALERTS", _G, _OF_ALERTS)
"""What Prometheus writes of its own alerts while they are pending or firing."""

NODE_CPU = Series("node_cpu_seconds_total", _C, ("cpu", "mode"))
NODE_MEMORY_AVAILABLE = Series("node_memory_MemAvailable_bytes", _G)
NODE_MEMORY_TOTAL = Series("node_memory_MemTotal_bytes", _G)
NODE_CPU_WAITING = Series("node_pressure_cpu_waiting_seconds_total", _C)
NODE_MEMORY_WAITING = Series("node_pressure_memory_waiting_seconds_total", _C)
NODE_IO_WAITING = Series("node_pressure_io_waiting_seconds_total", _C)
NODE_DISK_FREE = Series("node_filesystem_avail_bytes", _G, _FILESYSTEM)
NODE_DISK_SIZE = Series("node_filesystem_size_bytes", _G, _FILESYSTEM)
NODE_DISK_READ = Series("node_disk_read_bytes_total", _C, ("device",))
NODE_DISK_WRITTEN = Series("node_disk_written_bytes_total", _C, ("device",))
NODE_DISK_BUSY = Series("node_disk_io_time_seconds_total", _C, ("device",))
NODE_NETWORK_RECEIVED = Series("node_network_receive_bytes_total", _C, ("device",))
NODE_NETWORK_SENT = Series("node_network_transmit_bytes_total", _C, ("device",))
NODE_FILES_OPEN = Series("node_filefd_allocated", _G)
NODE_FILES_LIMIT = Series("node_filefd_maximum", _G)
NODE_TEXTFILE_ERROR = Series("node_textfile_scrape_error", _G)
NODE_TEXTFILE_MTIME = Series("node_textfile_mtime_seconds", _G, ("file",))

CONTAINER_CPU = Series("container_cpu_usage_seconds_total", _C, ("name",))
CONTAINER_MEMORY = Series("container_memory_working_set_bytes", _G, ("name",))
CONTAINER_STARTED = Series("container_start_time_seconds", _G, ("name",))
CONTAINER_NETWORK_RECEIVED = Series("container_network_receive_bytes_total", _C, ("name", "interface"))
CONTAINER_NETWORK_SENT = Series("container_network_transmit_bytes_total", _C, ("name", "interface"))
CONTAINER_DISK_READ = Series("container_fs_reads_bytes_total", _C, ("name", "device"))
CONTAINER_DISK_WRITTEN = Series("container_fs_writes_bytes_total", _C, ("name", "device"))

PROCESS_FILES_OPEN = Series("process_open_fds", _G)
PROCESS_FILES_LIMIT = Series("process_max_fds", _G)
PROMETHEUS_RELOADED = Series("prometheus_config_last_reload_successful", _G)
PROMETHEUS_RULE_FAILURES = Series("prometheus_rule_evaluation_failures_total", _C, ("rule_group",))
REMOTE_SENT_UP_TO = Series("prometheus_remote_storage_queue_highest_sent_timestamp_seconds", _G, ("remote_name", "url"))
REMOTE_PENDING = Series("prometheus_remote_storage_samples_pending", _G, ("remote_name", "url"))
ALERTMANAGER_RELOADED = Series("alertmanager_config_last_reload_successful", _G)
PUSH_TIME = Series("push_time_seconds", _G)
PUSH_FAILURE_TIME = Series("push_failure_time_seconds", _G)
ALERTMANAGER_FAILURES = Series("alertmanager_notifications_failed_total", _C, ("integration",))

OF_STORES = (ALERTS, PUSH_TIME, PUSH_FAILURE_TIME)
"""Those that have the labels of metrics.labels: of alerts on a store, and of the group that a store is pushed to."""

FOREIGN = {
    metric.name: metric
    for metric in (
        UP, ALERTS,
        NODE_CPU, NODE_MEMORY_AVAILABLE, NODE_MEMORY_TOTAL, NODE_CPU_WAITING, NODE_MEMORY_WAITING, NODE_IO_WAITING,
        NODE_DISK_FREE, NODE_DISK_SIZE, NODE_DISK_READ, NODE_DISK_WRITTEN, NODE_DISK_BUSY,
        NODE_NETWORK_RECEIVED, NODE_NETWORK_SENT, NODE_FILES_OPEN, NODE_FILES_LIMIT, NODE_TEXTFILE_ERROR,
        NODE_TEXTFILE_MTIME,
        CONTAINER_CPU, CONTAINER_MEMORY, CONTAINER_STARTED, CONTAINER_NETWORK_RECEIVED, CONTAINER_NETWORK_SENT,
        CONTAINER_DISK_READ, CONTAINER_DISK_WRITTEN,
        PROCESS_FILES_OPEN, PROCESS_FILES_LIMIT,
        PROMETHEUS_RELOADED, PROMETHEUS_RULE_FAILURES, ALERTMANAGER_FAILURES,
        REMOTE_SENT_UP_TO, REMOTE_PENDING, ALERTMANAGER_RELOADED, PUSH_TIME, PUSH_FAILURE_TIME,
    )
}  # fmt: skip
