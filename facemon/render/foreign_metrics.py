"""The metrics of other programs that rules and dashboards ask for: node-exporter, cAdvisor and the stack itself."""

from facemon.render.promql import Series
from facemon.values.metric_catalogue import MetricType

_C, _G = MetricType.COUNTER, MetricType.GAUGE

UP = Series("up", _G)

NODE_CPU = Series("node_cpu_seconds_total", _C, ("cpu", "mode"))
NODE_MEMORY_AVAILABLE = Series("node_memory_MemAvailable_bytes", _G)
NODE_MEMORY_TOTAL = Series("node_memory_MemTotal_bytes", _G)
NODE_DISK_READ = Series("node_disk_read_bytes_total", _C, ("device",))
NODE_DISK_WRITTEN = Series("node_disk_written_bytes_total", _C, ("device",))
NODE_NETWORK_RECEIVED = Series("node_network_receive_bytes_total", _C, ("device",))
NODE_NETWORK_SENT = Series("node_network_transmit_bytes_total", _C, ("device",))
NODE_TEXTFILE_ERROR = Series("node_textfile_scrape_error", _G)

CONTAINER_CPU = Series("container_cpu_usage_seconds_total", _C, ("name",))
CONTAINER_MEMORY = Series("container_memory_working_set_bytes", _G, ("name",))

PROMETHEUS_RELOADED = Series("prometheus_config_last_reload_successful", _G)
PROMETHEUS_RULE_FAILURES = Series("prometheus_rule_evaluation_failures_total", _C, ("rule_group",))
ALERTMANAGER_FAILURES = Series("alertmanager_notifications_failed_total", _C, ("integration",))

FOREIGN = {
    metric.name: metric
    for metric in (
        UP,
        NODE_CPU,
        NODE_MEMORY_AVAILABLE,
        NODE_MEMORY_TOTAL,
        NODE_DISK_READ,
        NODE_DISK_WRITTEN,
        NODE_NETWORK_RECEIVED,
        NODE_NETWORK_SENT,
        NODE_TEXTFILE_ERROR,
        CONTAINER_CPU,
        CONTAINER_MEMORY,
        PROMETHEUS_RELOADED,
        PROMETHEUS_RULE_FAILURES,
        ALERTMANAGER_FAILURES,
    )
}
