"""What `--help` shows of each command besides its options: lines to copy, and which exit codes it has."""

EXAMPLES: dict[str, tuple[str, ...]] = {
    "": ("facemon predict photos/", "facemon reference set --since 24h", "facemon drift-check", "facemon log --failed"),
    "init": ("facemon init", "facemon init --model network.onnx", "facemon init --all -o every-key.yaml"),
    "config": ("facemon config check", "facemon config show drift --origin"),
    "config check": ("facemon config check", "facemon config check north/facemon.yaml --format github"),
    "config schema": ("facemon config schema -o facemon.schema.json",),
    "config show": ("facemon config show --origin", "facemon config show drift.window"),
    "manifest": ("facemon manifest photos/ -o photos.parquet",),
    "predict": (
        "facemon predict photos/ --source gate",
        "facemon predict photos/ -o rows.parquet --resume",
        "facemon predict photos.parquet --shard 3/8 --deliver s3://bucket/log/",
    ),
    "log": (
        "facemon log --since 24h --failed",
        "facemon log --where gender=female --confidence-below 0.6",
        "facemon log --worst 20 --labels labels.csv",
        "facemon log --unusual 20 -o unusual.csv",
    ),
    "evaluate": ("facemon evaluate labels.csv", "facemon evaluate labels.csv --by source --observed-since 30d"),
    "reference": ("facemon reference set --since 24h", "facemon reference list"),
    "reference set": (
        "facemon reference set --since 7d --name november",
        "facemon reference set train.csv --kind labels --note 'the training set'",
    ),
    "reference list": ("facemon reference list",),
    "reference show": ("facemon reference show november",),
    "reference rm": ("facemon reference rm october", "facemon reference rm october november --force"),
    "reference diff": ("facemon reference diff october november",),
    "drift-check": (
        "facemon drift-check",
        "facemon drift-check --explain gender",
        "facemon drift-check --reference train.csv --current today.csv",
    ),
    "export-metrics": ("facemon export-metrics --textfile /var/lib/node_exporter/facemon.prom",),
    "serve-metrics": ("facemon serve-metrics --listen 127.0.0.1:8001",),
    "serve": ("facemon serve --listen 127.0.0.1:8000",),
    "render-config": ("facemon render-config --verify", "facemon render-config --out stack --for existing"),
    "report": ("facemon report --since 30d", "facemon report -o november.html --source gate"),
    "store": ("facemon store info", "facemon store verify"),
    "store info": ("facemon store info --json",),
    "store backup": ("facemon store backup monday.tar.gz",),
    "store verify": ("facemon store verify",),
    "store compact": ("facemon store compact",),
    "store prune": ("facemon store prune --days 90",),
    "store repair": ("facemon store repair", "facemon store repair --drop-damaged"),
    "store recover": ("facemon store recover monday.tar.gz",),
    "store collect": ("facemon store collect s3://bucket/log/",),
    "store deliver": ("facemon store deliver s3://bucket/log/ --node gate-1",),
    "store clock": ("facemon store clock", "facemon store clock --accept"),
    "model": ("facemon model show",),
    "model check": ("facemon model check photos/ --labels labels.csv",),
    "model show": ("facemon model show",),
    "metrics": ("facemon metrics", "facemon metrics drift_score"),
    "explain": ("facemon explain DriftDetected", "facemon explain gender"),
    "doctor": (
        "facemon doctor",
        "facemon doctor --prometheus http://127.0.0.1:9090",
        "facemon doctor --prometheus http://127.0.0.1:9090 --alert DriftDetected",
    ),
}
"""By the words of a command lines that are valid; for a group those of some of its commands."""

_FOUND = {
    "drift-check": "drift", "evaluate": "labels match nothing", "render-config": "a file differs from its rendering",
    "store verify": "the log is not whole", "store repair": "problems are left", "store recover": "problems are left",
    "store collect": "shards or deliveries are missing", "store clock": "the clock is wrong",
    "model check": "the description looks wrong", "doctor": "something is wrong",
}  # fmt: skip
"""What exit code 3 means, for the commands that have it."""


def exit_codes_of(words: str) -> str:
    """The exit codes of a command in a line."""
    found = f", 3 {_FOUND[words]}" if words in _FOUND else ""
    undecided = ", 4 undecided" if words == "drift-check" else ""
    return f"0 done, 1 failed, 2 wrong usage{found}{undecided}, 75 another run holds the lock, 130 interrupted"
