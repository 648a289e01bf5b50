"""`facemon predict`: images in, attributes out, everything logged."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from facemon.application.delivered_prediction import cluster_of, delivered, refuse_log_options
from facemon.application.predict_paths import refuse_unusable_paths
from facemon.application.prediction import (
    failure_limit,
    observed_of,
    predict_unlogged,
    refuse_failures,
    refuse_nonsense,
)
from facemon.application.prediction import predict as predict_images
from facemon.application.prediction import retry_failed as retry_failures
from facemon.application.prediction_output import RowOutput, chosen_format
from facemon.application.run_inputs import PredictRequest
from facemon.cli.command import command
from facemon.cli.completion import SOURCES
from facemon.cli.print_format import CsvSafeOption, OutputOption, RowFormatOption
from facemon.cli.session import Session
from facemon.errors import ExitCode

app = typer.Typer()
_PathsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="PATHS",
        help="Images, directories (with all below; links to directories are not followed), tar archives, manifests, "
        "or - for a list on stdin.",
    ),
]
_ObservedAtOption = Annotated[
    str | None,
    typer.Option(
        metavar="TIME|mtime|exif",
        help="Set when the images were taken (default: now). With exif, an image without a date gets the time of "
        "prediction, and a warning tells how many.",
    ),
]
_RootOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Resolve paths in manifests and lists against DIR, and reject paths that lead out of it."
    ),
]
_ResumeOption = Annotated[
    bool, typer.Option("--resume", help="Continue the newest unfinished run on the same paths; -o gets all its rows.")
]
_ThreadsOption = Annotated[
    int | None,
    typer.Option(min=1, max=1024, metavar="N", help="Workers (default: one for each core, within the CPU quota)."),
]
_MaxFailuresOption = Annotated[
    str, typer.Option(metavar="N|P%", help="Exit with 1 when more images than this cannot be read.")
]
NullOption = Annotated[
    bool, typer.Option("--null", "-0", help="Paths of the list on stdin end with NUL, as find -print0 writes them.")
]
SourceOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", autocompletion=SOURCES, help="Where the images come from, such as a camera."),
]
_RetryOption = Annotated[
    bool,
    typer.Option(
        "--retry-failed",
        help="Predict what failed in the newest run on the same paths again; -o gets all rows of that run.",
    ),
]
_ShardOption = Annotated[
    str | None,
    typer.Option(metavar="K/N", help="Predict shard K of N of a manifest, counted from 1; with --deliver."),
]
_DeliverOption = Annotated[
    str | None,
    typer.Option(
        metavar="LOCATION",
        help="Deliver the rows to s3://bucket/log/, gs://…, az://… or file:///folder/ instead of logging them here; "
        "facemon store collect registers them.",
    ),
]
_EngineOption = Annotated[
    str | None,
    typer.Option(
        metavar="inline|processes|ray",
        help="Predict with threads of this process, processes of this machine (default), or, with --shards and "
        "--deliver, a cluster of Ray.",
    ),
]
_ShardsOption = Annotated[
    int | None, typer.Option(metavar="N", help="Predict all N shards of a manifest on a cluster; with --engine ray.")
]
_AddressOption = Annotated[
    str | None,
    typer.Option(
        metavar="auto|HOST:PORT",
        help="The cluster of Ray: auto for the one that this machine belongs to (default: start one on this machine "
        "that ends with the run).",
    ),
]
_WorkerCpusOption = Annotated[
    float | None,
    typer.Option(min=0.01, max=1024, metavar="N", help="CPUs that each worker of the cluster reserves (default: 1)."),
]
_WorkerGpusOption = Annotated[
    float | None,
    typer.Option(min=0, max=64, metavar="N", help="GPUs that each worker of the cluster reserves (default: 0)."),
]


@command(app, "predict")
def predict(
    session: Session,
    paths: _PathsArgument,
    output: OutputOption = None,
    format_: RowFormatOption = None,
    source: SourceOption = None,
    observed_at: _ObservedAtOption = None,
    no_store: Annotated[bool, typer.Option("--no-store", help="Do not log the predictions.")] = False,
    resume: _ResumeOption = False,
    max_failures: _MaxFailuresOption = "0",
    threads: _ThreadsOption = None,
    root: _RootOption = None,
    null: NullOption = False,
    retry_failed: _RetryOption = False,
    csv_safe: CsvSafeOption = False,
    shard: _ShardOption = None,
    deliver: _DeliverOption = None,
    engine: _EngineOption = None,
    shards: _ShardsOption = None,
    address: _AddressOption = None,
    worker_cpus: _WorkerCpusOption = None,
    worker_gpus: _WorkerGpusOption = None,
) -> ExitCode:
    """Read face attributes from images and log them.

    Each image gives at least one row: a face, or an error such as no_face or unreadable. A manifest is a .csv,
    .jsonl or .parquet file with a column that names the images, and columns for their source, time, box and id
    where it has them. In a tar archive (.tar, .tar.gz, .tgz), NAME.json beside NAME.jpg says the same of that image, as
    in a WebDataset.
    """
    limit, observed = failure_limit(max_failures), observed_of(observed_at)
    chosen = chosen_format(output, format_, csv_safe=csv_safe, is_terminal=sys.stdout.isatty(), inputs=paths)
    refuse_nonsense(paths, source, resumes=resume, logs=not no_store, retries=retry_failed)
    shows = output is not None or format_ is not None
    cluster = cluster_of((engine, shards, address, worker_cpus, worker_gpus), shard, deliver, shows=shows)
    refuse_log_options(shard, deliver, resumes=resume, logs=not no_store, retries=retry_failed)
    refuse_unusable_paths(session.operation, paths, null, has_begun=resume or retry_failed)
    about = source, observed, observed_at or "", resume, threads, root, sys.stdin.buffer if "-" in paths else None, null
    request = PredictRequest(tuple(paths), *about, engine=engine)
    show = RowOutput(session.operation, session.console, output, chosen, is_delivered=deliver is not None)
    if deliver is not None:
        summary = delivered(session.operation, request, deliver, shard, cluster, show)
    elif no_store:
        summary = predict_unlogged(session.operation, request, show)
    else:
        summary = (retry_failures if retry_failed else predict_images)(session.operation, request, limit, show)
    refuse_failures(summary, limit)
    return ExitCode.OK
