"""The schedulers of facemon by name: a scheduler is one file beside this one, and its registration here."""

from facemon.schedulers.ray_cluster import RayCluster
from facemon.schedulers.scheduler import Scheduler

SCHEDULERS: dict[str, Scheduler] = {scheduler.name: scheduler for scheduler in (RayCluster(),)}
