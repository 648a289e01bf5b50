"""What a store says, in plain JSON: read by the code of each version, so that an upgraded store can be compared.

Run as a program, with the `facemon` of any version on the path: prints the facts of the store in a folder. It may use
only what all versions have.
"""

import hashlib
import json
import sys
from contextlib import suppress
from dataclasses import is_dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from facemon.domain.drift_result import to_document
from facemon.store.drift_results import drift_history
from facemon.store.references import list_references, reference_file, reference_profiles
from facemon.store.segment_files import read_segment
from facemon.store.verification import verify

MODELS = ("small@1", "small@2")


def facts(folder: Path) -> dict[str, Any]:
    """All that must be the same after an upgrade."""
    with _opened(folder) as ledger:
        segments = _part(ledger, "segments.within", "segment_files.list_segments")
        rows = [row for segment in segments for row in read_segment(ledger, segment).to_pylist()]
        references = list_references(ledger)
        gauges = _part(ledger, "checks.gauges", "drift_results.read_drift_gauges")
        states = _part(ledger, "checks.states", "drift_results.read_drift_checks")
        found = {
            "rows": _by_model(rows),
            "totals": _of_all_models(_part(ledger, "totals.read", "totals.read_totals")),
            "departed": _of_all_models(_part(ledger, "totals.departed", "totals.read_totals", "departed")),
            "profiles": sorted(
                [[str(part) for part in key], profile.images, profile.faces, _digest(_profile(profile))]
                for key, profile in _part(ledger, "profiles.all", "profiles.read_all_profiles").items()
            ),
            "references": [
                {
                    **_plain(reference),
                    "sha256": hashlib.sha256(reference_file(ledger, reference).read_bytes()).hexdigest(),
                    "profiles": sorted(
                        [str(source), _digest(_profile(profile))]
                        for source, profile in reference_profiles(ledger, reference).items()
                    ),
                }
                for reference in references
            ],
            "history": [to_document(result) for result in drift_history(ledger)],
            "drift_gauges": sorted(map(_without_model, _plain(gauges)), key=str),
            "drift_checks": sorted(map(_check, _plain(states))),
            "accuracy": {
                model: {
                    each.attribute: each.share
                    for each in _part(ledger, "evaluations.accuracy", "evaluations.read_accuracy", model, 1)
                }
                for model in MODELS
            },
            "commands": sorted(_plain(_part(ledger, "commands.all", "command_runs.read_command_runs")), key=str),
            "runs": sorted(
                map(
                    list,
                    ledger.connection.execute(
                        "SELECT id, inputs, model, fingerprint, source, started, finished, done, digest FROM runs"
                    ),
                )
            ),
            "requests": _requests(ledger),
            "announced": _announced(ledger.connection),
            "problems": list(verify(ledger).problems),
        }
    plain: dict[str, Any] = json.loads(json.dumps(_plain(found)))
    return plain


def _opened(folder: Path) -> Any:
    try:
        from facemon.store.ledger.opening import open_ledger
    except ImportError:  # before the ledger had a room of its own
        return import_module("facemon.store.ledger").Ledger.open(folder)
    return open_ledger(folder)


def _part(ledger: Any, name: str, older: str, *arguments: Any) -> Any:
    """What a method of a part of the ledger returns, or the function that older code had in its place."""
    part, method = name.split(".")
    if hasattr(ledger, part):
        return getattr(getattr(ledger, part), method)(*arguments[: 0 if method == "departed" else None])
    module, function = older.split(".")
    return getattr(import_module(f"facemon.store.{module}"), function)(ledger.connection, *arguments)


def _of_all_models(totals: Any) -> list[list[Any]]:
    """As versions before 5 kept them: predictions and confidences without their last label, the model."""
    merged: dict[tuple[Any, ...], float] = {}
    for (metric, labels, part), value in totals.items():
        own = labels[: {"model_predictions_total": 2, "model_confidence_score": 1}.get(metric, len(labels))]
        merged[metric, own, part] = merged.get((metric, own, part), 0.0) + value
    return sorted([*key, value] for key, value in merged.items())


def _without_model(gauge: dict[str, Any]) -> dict[str, Any]:
    """As versions before 4 kept it."""
    return {name: value for name, value in gauge.items() if name != "model"}


def _check(state: Any) -> list[Any]:
    """As versions before 4 kept it: its name, its threshold and when it last decided."""
    return [state["check"], state["threshold"], state["decided"]] if isinstance(state, dict) else state


def _by_model(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """How many rows each model has, and a digest of what is in them."""
    texts: dict[str, list[str]] = {}
    for row in rows:
        texts.setdefault(row["model"], []).append(json.dumps(_plain(row), sort_keys=True))
    return {
        model: [len(lines), hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()]
        for model, lines in texts.items()
    }


def _requests(ledger: Any) -> list[list[Any]]:
    with suppress(ImportError):  # version 3 was the first to keep them
        instances = [name for (name,) in ledger.connection.execute("SELECT DISTINCT instance FROM request_totals")]
        return sorted(
            [instance, *key, value]
            for instance in instances
            for key, value in _part(ledger, "requests.read", "request_totals.read_request_totals", instance).items()
        )
    return []


def _announced(connection: Any) -> list[list[str]]:
    """Which columns of which checks were announced; version 1 announced none."""
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'announced_drift'").fetchone():
        return []
    return sorted(map(list, connection.execute("SELECT model, check_name, column_name FROM announced_drift")))


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(_plain(value), sort_keys=True).encode()).hexdigest()


def _profile(profile: Any) -> dict[str, Any]:
    """The fields that all versions have."""
    columns = {
        name: {key: getattr(counts, key) for key in ("kind", "unit", "counts", "labels", "bins")}
        for name, counts in profile.columns.items()
    }
    return {"images": profile.images, "faces": profile.faces, "squares": profile.squares, "columns": columns}


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return _plain({name: getattr(value, name) for name in value.__dataclass_fields__})
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if hasattr(value, "tolist"):
        return value.tolist()
    return value


if __name__ == "__main__":
    print(json.dumps(facts(Path(sys.argv[1])), indent=1, sort_keys=True))
