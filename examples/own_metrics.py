"""Metrics of your own beside facemon's: how long the queue of a labelling service is.

Put this file beside facemon.yaml, and name the class there:

    exporter:
      probes: [{name: labels, url: "http://127.0.0.1:9000/health"}]
      collectors: ["own_metrics:LabellingQueue"]

`facemon serve-metrics` then asks it in each scrape, for at most `exporter.collector_timeout`. When it raises or hangs,
only its own metrics are missing, and `facemon_source_up{source="own_metrics:LabellingQueue"}` is 0.
"""

import json
import os
from collections.abc import Iterator
from urllib.request import urlopen

from prometheus_client.core import GaugeMetricFamily, Metric

SERVICE = os.environ.get("LABELLING_SERVICE", "http://127.0.0.1:9000")


class LabellingQueue:
    """Asks the labelling service how many images wait for each of its teams."""

    def collect(self) -> Iterator[Metric]:
        """One gauge; its service answers with JSON such as {"north": 12, "south": 0}."""
        with urlopen(f"{SERVICE}/queue", timeout=1) as answer:
            waiting = json.load(answer)
        family = GaugeMetricFamily("labelling_queue_images", "Images that wait for a label.", labels=("team",))
        for team, images in sorted(waiting.items()):
            family.add_metric((team,), images)
        yield family
