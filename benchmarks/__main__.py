"""Measure and write RESULTS.md, on a machine that does nothing else: `make bench`, or one part of it by its name."""

import compileall
import sys
from pathlib import Path

import facemon
from benchmarks import (
    age_gender,
    api_latency,
    api_load,
    api_speed,
    drift_alarms,
    drift_days,
    drift_peers,
    drift_speed,
    many_machines,
    memory_and_start,
    predict_speed,
    public_networks,
    ray_speed,
    render_speed,
    scrape_speed,
    tutorial,
)
from benchmarks.machine import ROUNDS
from benchmarks.report import Part, Report

_PACKAGE = Path(facemon.__file__).parent
_PARTS = {
    "tutorial": Part("The tutorial", tutorial.measure, tutorial.ABOUT),
    "predict": Part("predict, MobileNetV2's size, five heads, 112²", predict_speed.measure),
    "bundle": Part("predict, the built-in bundle", age_gender.measure),
    "memory": Part("Memory and start", memory_and_start.measure),
    "alarms": Part("drift-check: false alarms and power", drift_alarms.measure, drift_alarms.ABOUT),
    "drift-days": Part("drift-check: ordinary days", drift_days.measure, drift_days.ABOUT),
    "peers": Part("drift-check beside others", drift_peers.measure, drift_peers.ABOUT),
    "drift-speed": Part("drift-check: speed and hard cases", drift_speed.measure, drift_speed.ABOUT),
    "api": Part("serve, beside predict and other servers", api_speed.measure, api_speed.ABOUT),
    "wait": Part("serve, one connection", api_latency.measure, api_latency.ABOUT),
    "load": Part("serve, ten minutes of too much load", api_load.measure, api_load.ABOUT),
    "scrape": Part("serve-metrics, a scrape", scrape_speed.measure, scrape_speed.ABOUT),
    "many": Part("Many machines", many_machines.measure, many_machines.ABOUT),
    "ray": Part("predict on Ray", ray_speed.measure, ray_speed.ABOUT),
    "networks": Part("Public networks", public_networks.measure, public_networks.ABOUT),
    "render": Part("render-config", render_speed.measure, render_speed.ABOUT),
}
_EXPLANATION = f"""\
# Measured

Written by `make bench`. All sides of a ratio were measured in the same run, taking turns; each figure is the median of
{ROUNDS} rounds. `facemon` is the whole command with its log, start-up included. The limit is cores ÷ (decode CPU +
inference CPU): file to input tensor with Pillow's scaled decoding, and onnxruntime on batches of 8, each measured alone
with all cores at it, by threads of one process; facemon's processes run batches of 4 and wait for no other's Python, so
that they can pass it. The naive loop is Pillow and onnxruntime, one image at a time, and writes nothing. facemon's
modules are compiled before, as pip does for the packages that it is measured beside.
"""


if __name__ == "__main__":
    # An editable installation is compiled at its first import, or at each one under PYTHONDONTWRITEBYTECODE.
    compileall.compile_dir(_PACKAGE, quiet=1)
    sys.exit(Report(Path(__file__).with_name("RESULTS.md"), _EXPLANATION, _PARTS).update(sys.argv[1:]))
