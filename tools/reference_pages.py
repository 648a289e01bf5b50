"""The reference of the documentation site, made from the code: each page of Markdown, by its path below docs/.

The pages are long and a command makes them again, so they are not in the repository; docs/metrics.md, which is, is one
of `write_docs`.
"""

import inspect
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import typer
from reference_configuration import configuration_page
from typer.core import TyperGroup

import facemon
from facemon.cli.command_line import app
from facemon.config.document import Config
from facemon.config.durations import format_duration
from facemon.config.loader import parse_config
from facemon.domain.log_columns import IMAGE_COLUMN_HELP, LOG_COLUMN_HELP
from facemon.domain.prediction import ErrorCode, log_schema
from facemon.errors import ExitCode
from facemon.render.alert import Alert
from facemon.render.alert_rules import alerts_of
from facemon.render.dashboards import DASHBOARDS
from facemon.render.markdown import code, escaped, table
from facemon.render.runbooks import runbook
from facemon.store.layout import LEDGER_NAME
from facemon.store.ledger.creation import create_store
from facemon.terminal.help_examples import exit_codes_of
from facemon.terminal.help_page import help_page

ROOT = Path(__file__).resolve().parent.parent
_COLUMNS = 84
_EVERYTHING = """\
version: 1
model: {bundle: age-gender}
exporter: {probes: [{name: labelling, url: "http://labelling.example/health"}]}
prometheus:
  jobs: [api, exporter, node, prometheus, alertmanager]
  remote_write: [{url: "https://metrics.example/write"}]
"""
"""A configuration in which no alert lacks what it watches, but those of the transport."""
_ALERTS = """\
Every alert that facemon renders, with its defaults. `facemon explain NAME` prints it as it is configured, and
`monitoring/runbooks/` has these pages with your addresses."""
_JSON = """\
Samples of what facemon prints for programs. The key `schema` names the format and its version. Keys may be added, and
are never removed or given another type within a version."""
_CODES = {
    ExitCode.OK: "Done, nothing found.",
    ExitCode.FAILED: "Failed: data, model or network; more images failed than `--max-failures` allows.",
    ExitCode.USAGE: "Wrong usage or configuration.",
    ExitCode.FOUND: "Found what the command looks for; the table below says what.",
    ExitCode.UNDECIDED: "Undecided: not enough data to decide.",
    ExitCode.LOCKED: "Another run holds the lock.",
    ExitCode.INTERRUPTED: "Interrupted by SIGINT, SIGTERM or SIGHUP, or stdout was closed by its reader.",
}
_SAMPLES = {
    "facemon.prediction-1.jsonl": "`facemon predict`, `serve` and `log`: an object for each face or failed image.",
    "facemon.drift-1.json": "`facemon drift-check --format json`, and the stdin of `drift.on_drift`.",
    "facemon.metrics-1.json": "`facemon metrics --format json`; here the first two metrics.",
    "facemon.explain-1.jsonl": "`facemon explain NAME --format json`: an alert, a metric, a column, a source, a query.",
}  # fmt: skip


def reference_pages() -> dict[str, str]:
    """Return each page of the reference that is made for the site only."""
    pages: dict[str, Callable[[], str]] = {
        "commands": commands_page, "configuration": configuration_page, "alerts": alerts_page, "panels": panels_page,
        "exit-codes": exit_codes_page, "json": json_page, "store": store_page, "python-api": python_page,
    }  # fmt: skip
    return {f"reference/{name}.md": page() for name, page in pages.items()}


def each_command() -> Iterator[tuple[str, Any, Any]]:
    """Yield the words of each command that is not hidden, the command, and its context."""
    root = typer.main.get_command(app)
    settings: dict[str, Any] = {"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "FACEMON"}

    def below(command: Any, words: tuple[str, ...], parent: Any) -> Iterator[tuple[str, Any, Any]]:
        given = settings if parent is None else {}
        context = typer.Context(command, parent=parent, info_name=words[-1] if words else "facemon", **given)
        yield " ".join(words), command, context
        if isinstance(command, TyperGroup):
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                if found is not None and not found.hidden:
                    yield from below(found, (*words, name), context)

    return below(root, (), None)


def commands_page() -> str:
    """Return the help of every command."""
    parts = [
        "# Commands",
        "What `--help` prints, for every command. Options may stand before or after the command's name.",
    ]
    for words, command, context in each_command():
        parts += [f"## facemon {words}".rstrip(), code(help_page(command, context, _COLUMNS).strip(), "text")]
    return "\n\n".join(parts) + "\n"


def every_alert() -> dict[str, tuple[Alert, Config]]:
    """Return each built-in alert with the configuration that renders it: no single one renders them all."""
    found: dict[str, tuple[Alert, Config]] = {}
    for transport in ("", "  store_metrics_from: textfile\n", "  store_metrics_from: pushgateway\n"):
        text = _EVERYTHING + transport
        if "pushgateway" in transport:
            text = text.replace("alertmanager]", "alertmanager, pushgateway]")
        config = parse_config(text, name="facemon.yaml", directory=Path())
        for alert in alerts_of(config):
            found.setdefault(alert.name, (alert, config))
    return found


def alerts_page() -> str:
    """Return the runbook of every alert, one after the other."""
    alerts = every_alert()
    rows = [("alert", "severity", "fires when", "for")]
    rows += [
        (f"[{name}](#{name.lower()})", alert.severity, alert.limit, format_duration(alert.for_) if alert.for_ else "0")
        for name, (alert, _) in alerts.items()
    ]
    parts = [
        "# Alerts",
        _ALERTS,
        table(tuple(rows)),
    ]
    return "\n\n".join([*parts, *(_lowered(runbook(alert, config)) for alert, config in alerts.values())])


def _lowered(page: str) -> str:
    """A page as a section of another: its title a level deeper, the headings of its parts in bold."""
    page = re.sub(r"^## (.*)$", r"**\1**", page, flags=re.MULTILINE)
    # The address is that of a Grafana on the reader's machine, which need not be there.
    page = re.sub(r"^The dashboard: <(.*)>$", r"The dashboard: `\1`", page, flags=re.MULTILINE)
    return re.sub(r"^# ", "## ", page, flags=re.MULTILINE)


def panels_page() -> str:
    """Return each panel of each dashboard: its title, unit, description and queries."""
    config = parse_config(_EVERYTHING, name="facemon.yaml", directory=Path())
    parts = ["# Dashboards and panels", "Every panel that facemon renders for Grafana, with the queries that it sends."]
    for build in DASHBOARDS.values():
        dashboard = build(config)
        parts.append(f"## {escaped(dashboard['title'])}")
        for panel in dashboard["panels"]:
            parts += _panel(panel)
    return "\n\n".join(parts) + "\n"


def _panel(panel: dict[str, Any]) -> Iterator[str]:
    if panel["type"] == "row":
        yield f"### {escaped(panel['title'])}"
        for inner in panel.get("panels", ()):
            yield from _panel(inner)
    elif targets := panel.get("targets"):
        unit = panel.get("fieldConfig", {}).get("defaults", {}).get("unit", "")
        yield f"**{escaped(panel['title'])}** ({unit or 'no unit'}): {escaped(panel.get('description', ''))}"
        yield code("\n".join(target["expr"] for target in targets), "promql")


def exit_codes_page() -> str:
    """Return what each exit code means, and what it means for each command."""
    codes = table((("code", "means"), *((str(each.value), _CODES[each]) for each in ExitCode)))
    commands = table((
        ("command", "exit codes"),
        *((f"`facemon {words}`", exit_codes_of(words)) for words, command, _ in each_command()
          if not isinstance(command, TyperGroup)),
    ))  # fmt: skip
    return f"# Exit codes\n\n{codes}\n\n## Of each command\n\n{commands}\n"


def json_page() -> str:
    """Return a sample of each JSON that facemon prints, those that the tests hold it to."""
    parts = [
        "# JSON",
        _JSON,
    ]
    for name, about in _SAMPLES.items():
        documents = [json.loads(line) for line in (ROOT / "tests" / "contracts" / name).read_text("utf-8").splitlines()]
        if "metrics" in documents[0]:
            documents[0]["metrics"] = documents[0]["metrics"][:2]
        schema = re.sub(r"-(\d+)\.jsonl?$", r"/\1", name)
        parts += [f"## {schema}", about, *(code(json.dumps(each, indent=2), "json") for each in documents)]
    return "\n\n".join(parts) + "\n"


def store_page() -> str:
    """Return the columns of the log, its error codes, and the tables of the ledger."""
    config = parse_config("", name="facemon.yaml", directory=Path())
    schema = log_schema(tuple(attribute for network in config.model.networks for attribute in network.attributes))
    said = LOG_COLUMN_HELP | IMAGE_COLUMN_HELP
    attribute = "A label, its confidence or a value of the model's attributes."
    rows = [
        (f"`{each.name}`", str(each.type), said[each.name].help if each.name in said else attribute) for each in schema
    ]
    codes = ", ".join(f"`{each}`" for each in ErrorCode)
    return f"""\
# The store

A store is a folder, `.facemon` by default. Its ledger is SQLite, its rows are Parquet files.

| below the folder | holds |
| --- | --- |
| `ledger.sqlite` | which files belong to the log, totals, profiles, runs, references, results; rows of the last hours |
| `segments/date=YYYY-MM-DD/` | rows, by the date of observation |
| `references/` | the rows of each reference |
| `reports/` | pages of drift checks; `latest.html` is the newest |
| `locks/` | locks of running commands |
| `set-aside/` | what a repair or a recovery has replaced |

## Columns of the log

For the built-in model; an attribute of your own has its columns in the place of `gender` and `age`.

{table((("column", "type", "holds"), *rows))}

`error` is empty or one of {codes}.

## Tables of the ledger

Their layout is not an interface: it changes between versions, and facemon upgrades an older store. Read rows from the
Parquet files, or by `facemon log`.

{code(_statements(), "sql")}
"""


def _statements() -> str:
    """The SQL that has made the tables of an empty store."""
    with TemporaryDirectory() as folder:
        create_store(Path(folder) / "store", 0o700, as_root=False)
        with closing(sqlite3.connect(Path(folder) / "store" / LEDGER_NAME)) as ledger:
            return ";\n".join(sql for (sql,) in ledger.execute("SELECT sql FROM sqlite_master WHERE sql NOTNULL"))


def python_page() -> str:
    """Return the signature and the docstring of all that `facemon` offers."""
    parts = ["# Python API", "All that `import facemon` offers. [From Python](../python.md) shows how it is used."]
    for name in facemon.__all__:
        offered = getattr(facemon, name)
        if isinstance(offered, str):
            continue
        parts.append(f"## {name}")
        parts += _documented(f"facemon.{name}", offered)
        for member, method in vars(offered).items() if inspect.isclass(offered) else ():
            plain = getattr(method, "__func__", method)
            if member[0] != "_" and inspect.isfunction(plain) and not issubclass(offered, Enum):
                parts += [f"### {name}.{member}", *_documented(f"{name}.{member}", plain)]
    return "\n\n".join(parts) + "\n"


def _documented(name: str, offered: Any) -> Iterator[str]:
    yield code(f"{name}{_signature(offered)}", "python")
    if said := inspect.getdoc(offered):
        yield escaped_lines(said)
    if inspect.isclass(offered) and issubclass(offered, Enum):
        yield "Members: " + ", ".join(f"`{each.name}` (`{each.value}`)" for each in offered) + "."


def _signature(offered: Any) -> str:
    """The parameters, each on a line of its own where they are long; types without the modules that they are in."""
    if inspect.isclass(offered) and issubclass(offered, Enum):
        return ""
    text = re.sub(r"\b(?:[a-z_]+\.)+(?=\w)", "", str(inspect.signature(offered)))
    text = re.sub(r"<(\w+) object at 0x\w+>", r"\1", text)
    if len(text) <= _COLUMNS - 30:
        return text
    return re.sub(r", (?=\*?\*?\w+(?::|,)|\*,)", ",\n    ", text).replace("(", "(\n    ", 1)


def escaped_lines(said: str) -> str:
    """A docstring as Markdown: its code in backticks stays, what HTML would read as a tag does not."""
    return "\n".join(line.replace("<", "&lt;") for line in said.splitlines())
