"""What a collection registered, which shards are missing, and what is damaged: as lines, and as JSON."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from facemon.domain.counted import counted
from facemon.domain.shard import shown_ranges
from facemon.reports.printed_parts import Part, Remark, Tone
from facemon.store.shared_log.layout import NODE_DELIVERIES

if TYPE_CHECKING:
    from facemon.store.shared_log.cleaning import Cleaning
    from facemon.store.shared_log.collecting import Collection

_SCHEMA = "facemon.collection/1"


def collection_document(location: str, found: "Collection", cleaned: "Cleaning | None") -> dict[str, Any]:
    """Return the object that --format json prints."""
    return {
        "schema": _SCHEMA,
        "location": location,
        "registered": sum(each.new for each in found.every),
        "rows": found.rows,
        "jobs": [
            {
                "name": job.name, "shards": job.shards, "registered": len(job.registered), "new": job.new,
                "missing": shown_ranges(job.missing),
            }
            for job in found.jobs
        ],
        "nodes": [
            {
                "name": node.node, "epoch": node.epoch, "newest": node.newest, "registered": len(node.registered),
                "new": node.new, "missing": shown_ranges(node.missing),
            }
            for node in found.nodes
        ],
        "repeated_rows": found.repeated_rows,
        "damaged": list(found.damaged),
        "removed": None if cleaned is None else {"objects": cleaned.objects, "bytes": cleaned.bytes},
    }  # fmt: skip


def collection_report(found: "Collection", cleaned: "Cleaning | None") -> Iterator[Part]:
    """Yield what was registered, what was removed, and what is missing or damaged."""
    new = sum(each.new for each in found.every)
    before = sum(len(each.registered) for each in found.every) - new
    known = f", and has {before} from before" if before else ""
    yield f"registered {counted(new, 'delivery', 'deliveries')} with {counted(found.rows, 'row')}{known}"
    if found.repeated_rows:
        yield f"left out {counted(found.repeated_rows, 'row')} that another copy of the same store had delivered"
    if cleaned is not None:
        removed = f"{counted(cleaned.objects, 'object')} ({cleaned.bytes} bytes)"
        yield f"removed {removed} of attempts that were not delivered"
    for job in found.jobs:
        if job.missing:
            yield f"missing: {job.name}: {shown_ranges(job.missing)} of {job.shards}"
    for node in found.nodes:
        if node.missing:
            yield f"missing: {node.node}, epoch {node.epoch}: {shown_ranges(node.missing)} of {node.newest}"
    for text in found.damaged:
        yield f"damaged: {text}"
    of_nodes = [text for text in found.damaged if text.startswith(NODE_DELIVERIES)]
    if len(of_nodes) < len(found.damaged):
        yield Remark(
            "  hint: restore the objects that are named, or predict their shards under another name of the manifest",
            Tone.NOTICE,
        )
    if of_nodes or any(node.missing for node in found.nodes):
        yield Remark(
            "  hint: restore the objects of nodes from a version or a copy of the bucket; no node delivers a row again",
            Tone.NOTICE,
        )
