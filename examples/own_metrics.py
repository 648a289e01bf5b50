"""Metrics of your own through `facemon serve-metrics`: how many images wait for a label, and for how long.

A collector is any object whose `collect()` yields metric families of prometheus-client. This one asks a labelling
service each time Prometheus does, so that no loop, no port and no server has to be written. Put a copy of this file
beside `facemon.yaml`, and name it there, together with a probe, which says whether the service answers at all:

    exporter:
      probes: [{name: labelling, url: "http://127.0.0.1:8080/health"}]
      collectors: ["own_metrics:LabellingQueue", "own_metrics:seconds_to_ask"]

Then start the service (`LABELLING_URL` says where it is, if not at http://127.0.0.1:8080) and the exporter:

    $ facemon serve-metrics
    $ curl http://127.0.0.1:8001/metrics

There are now `labelling_queue_length{queue="faces"}`, `labelling_oldest_seconds{queue="faces"}`, the histogram
`labelling_seconds_to_ask`, and `external_service_status{service="labelling"}`. When the service is away,
`facemon_source_up{source="own_metrics:LabellingQueue"}` is 0 and the queue's metrics are absent; nothing else changes.
"""

import json
import os
import urllib.request
from collections.abc import Iterator

from prometheus_client import Histogram
from prometheus_client.core import GaugeMetricFamily

TIMEOUT_S = 1.0
"""Below exporter.collector_timeout, so that the reason is known when the service hangs."""

seconds_to_ask = Histogram("labelling_seconds_to_ask", "Seconds that the labelling service took.", registry=None)
"""A metric that is kept in memory is a collector, too; it is in no registry of its own."""


class LabellingQueue:
    """What the labelling service tells of its queues, as `{"faces": {"length": 12, "oldest_seconds": 90.5}}`."""

    def __init__(self) -> None:
        self.url = os.environ.get("LABELLING_URL", "http://127.0.0.1:8080") + "/queues"

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The queues as they are now; what this raises costs only these metrics, so nothing is caught."""
        with seconds_to_ask.time(), urllib.request.urlopen(self.url, timeout=TIMEOUT_S) as answer:
            queues = json.load(answer)
        length = GaugeMetricFamily("labelling_queue_length", "Images that wait for a label.", labels=["queue"])
        oldest = GaugeMetricFamily("labelling_oldest_seconds", "How long the oldest has waited.", labels=["queue"])
        for name, queue in queues.items():
            length.add_metric([name], queue["length"])
            oldest.add_metric([name], queue["oldest_seconds"])
        yield length
        yield oldest
