"""`facemon predict --deliver`: what many machines need, loaded for those alone that ask for it."""

from typing import TYPE_CHECKING

from facemon.application.operation import Operation

if TYPE_CHECKING:
    from facemon.application.prediction_run import Show
    from facemon.application.run_inputs import PredictRequest
    from facemon.application.scheduled_shards import ClusterOptions
    from facemon.predict.run_summary import RunSummary


def cluster_of(
    options: tuple[str | None, int | None, str | None, float | None, float | None],
    shard: str | None,
    deliver: str | None,
    *,
    shows: bool,
) -> "ClusterOptions | None":
    """The cluster that shards go to; None for this machine. UsageError for options that do not go together."""
    if options == (None,) * len(options):
        return None
    from facemon.application.scheduled_shards import ClusterOptions, refuse_other_options

    cluster = ClusterOptions(*options)
    return cluster if refuse_other_options(cluster, shard, deliver, shows=shows) else None


def refuse_log_options(shard: str | None, deliver: str | None, *, resumes: bool, logs: bool, retries: bool) -> None:
    """UsageError for options that say something of the local log, and for a shard without a place to deliver it to."""
    if shard is not None or deliver is not None:
        from facemon.application.delivered_shard import refuse_other_log

        refuse_other_log(shard, deliver, resumes=resumes, logs=logs, retries=retries)


def delivered(
    operation: Operation,
    request: "PredictRequest",
    deliver: str,
    shard: str | None,
    cluster: "ClusterOptions | None",
    show: "Show",
) -> "RunSummary":
    """Predict one shard here, or all on a cluster, into a shared log; errors as `predict_shard`, `predict_shards`."""
    from facemon.application.delivered_shard import delivery_request, predict_shard
    from facemon.application.scheduled_shards import predict_shards, scheduled_request

    if cluster is not None:
        return predict_shards(operation, scheduled_request(request, deliver, cluster))
    return predict_shard(operation, delivery_request(request, deliver, shard), show)
