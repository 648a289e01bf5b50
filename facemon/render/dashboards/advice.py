"""What to do when something in a section of a dashboard is wrong: one line for each, in Markdown."""

NOW = (
    "a red or orange number has its reason in the section of its name. *No check yet*: run `facemon reference set` "
    "and `facemon drift-check`, and schedule the check and `facemon export-metrics`."
)
DRIFT = (
    "see *Columns now*, then run `facemon drift-check --explain COLUMN` for a column that drifts: it names the labels "
    "and the sources that moved. Undecided columns need more rows: `facemon reference show` says how many."
)
SOURCES = (
    "for a source that drifts run `facemon drift-check --source NAME`, and look at its newest images: a dark, moved or "
    "dirty camera shows there first. A silent source sends nothing: does it run, and still have this name?"
)
ACCURACY = (
    "where it is below its limit, run `facemon evaluate LABELS.csv` to see which labels are confused, and look whether "
    "the column drifts. Where it is old, evaluate new true labels, or set a new reference."
)
PREDICTIONS = (
    "failed images have their reason in the column `error` of the log; `facemon predict --retry-failed` tries them "
    "again. A line that ends: nothing is predicted any more, or the metrics are not exported."
)
CONFIDENCE = (
    "a mean that falls before anything drifts is an early sign: look at the newest images, and run "
    "`facemon drift-check --explain COLUMN`."
)
SPEED = "slower since a new model: compare the models. Slower without one: see CPU and pressure in *System Metrics*."

API_NOW = (
    "a red number has its reason in the section of its name. *Not loaded*: read what `facemon serve` of that instance "
    "wrote on stderr."
)
TRAFFIC = (
    "traffic that ends without errors does not reach the API: ask `/ready` from where the clients are, and look at the "
    "load balancer."
)
LATENCY = (
    "if it rises with requests, add workers (`api.workers`) or instances; if it rises alone, look at CPU in "
    "*System Metrics*, and for larger images."
)
ERRORS = (
    "the access log on stderr has a line of JSON for each request that failed, with its reason. 503 as *busy*: "
    "`api.max_in_flight` is reached, see *Room*."
)
ROOM = "near 100 % requests are refused: add workers or instances; a higher `api.max_in_flight` only makes more wait."

SYSTEM_NOW = "begin with a target that is down, since alerts on it cannot fire; then open the runbooks of the alerts."
MONITORING = (
    "a target that is down: Prometheus' page of targets has the error. A source that is down: read what "
    "`facemon serve-metrics` wrote on stderr. Rules or notifications that fail: read the log of that server."
)
MACHINES = (
    "pressure says more than usage: where something waits for CPU, memory or disk, add to it or move work away. For a "
    "full disk see `facemon store info` and `store.retention_days`."
)
CONTAINERS = (
    "a container that starts again and again: read `docker logs NAME`. One that grows: compare its memory by days."
)
