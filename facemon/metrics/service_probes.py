"""Probes of external services: each asked at an interval, by a thread of its own, never during a scrape."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily

from facemon.config.serving import ExporterConfig
from facemon.metrics.health_request import HealthRequest
from facemon.store.total_families import gauge_family

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _ProbePlan:
    """What to ask and how often, in seconds; a plan that a reload leaves as it is goes on undisturbed."""

    service: str
    url: str
    interval: float
    timeout: float


class ServiceProbes:
    """The probes of one configuration after another, and what each service answered last."""

    def __init__(self, warn: Tell, say: Tell) -> None:
        """`warn` is told of a service that goes down, `say` of one that comes back: once each."""
        self._warn = warn
        self._say = say
        self._probes: dict[_ProbePlan, _Probe] = {}

    def follow(self, exporter: ExporterConfig) -> None:
        """Probe what the configuration names from now on, and nothing else."""
        interval, timeout = exporter.probe_interval.total_seconds(), exporter.probe_timeout.total_seconds()
        plans = [_ProbePlan(probe.name, probe.url, interval, timeout) for probe in exporter.probes]
        before = self._probes
        self._probes = {plan: before.get(plan) or _Probe(plan, self._warn, self._say) for plan in plans}
        for plan in before.keys() - self._probes.keys():
            before[plan].stop()

    def stop(self) -> None:
        """Ask no more; a request on its way is not waited for."""
        self.follow(ExporterConfig())

    def family(self) -> GaugeMetricFamily | None:
        """The status of every service that has answered or failed to; one that is not known yet is absent."""
        known = [((plan.service,), is_up) for plan, probe in self._probes.items() if (is_up := probe.is_up) is not None]
        return gauge_family("external_service_status", known) if known else None


class _Probe:
    """One service, asked until it is told to stop."""

    def __init__(self, plan: _ProbePlan, warn: Tell, say: Tell) -> None:
        self.is_up: bool | None = None
        self._plan = plan
        self._warn = warn
        self._say = say
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._asked: HealthRequest | None = None
        # A daemon: looking a name up can neither be cut short nor be waited for at the end.
        threading.Thread(target=self._run, name=f"probe {plan.service}", daemon=True).start()

    def stop(self) -> None:
        self._over.set()
        with self._lock:
            asked, self._asked = self._asked, None
        if asked is not None:
            asked.cut()

    def _run(self) -> None:
        try:
            while not self._over.is_set():
                began = time.monotonic()
                self._ask()
                self._over.wait(max(0.0, began + self._plan.interval - time.monotonic()))
        finally:
            self.is_up = None  # whatever ended it: a service that is no longer probed is unknown

    def _ask(self) -> None:
        request = HealthRequest(self._plan.url, self._plan.timeout)
        with self._lock:
            self._asked = request
        timer = threading.Timer(self._plan.timeout, self._time_is_up, (request,))
        timer.daemon = True
        timer.start()
        try:
            self._settle(request, request.why_down())
        finally:
            timer.cancel()

    def _time_is_up(self, request: HealthRequest) -> None:
        self._settle(request, "no answer in time")
        request.cut()

    def _settle(self, request: HealthRequest, why_down: str | None) -> None:
        """Take the first verdict on a request: what a late answer says, or its being cut, no longer counts."""
        with self._lock:
            if self._asked is not request or self._over.is_set():
                return
            self._asked = None
            before, self.is_up = self.is_up, why_down is None
        if why_down is not None and before is not False:
            self._warn(f"the service {self._plan.service} is down: {why_down}")
        elif why_down is None and before is False:
            self._say(f"the service {self._plan.service} is up again")
