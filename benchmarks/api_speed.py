"""`facemon serve` under load, beside `facemon predict` on the same images and beside other servers of the network."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.api_servers import peer_servers
from benchmarks.command import FACEMON
from benchmarks.machine import ROUNDS, Line, rounds
from benchmarks.mobilenet import HEADS, config_text, write_mobilenet
from benchmarks.photographs import SIZES, crops
from benchmarks.process_usage import Usage, run_measured
from benchmarks.results_table import Table
from benchmarks.served import Running, Server, facemon_servers, running, with_workers

_CONNECTIONS = 16
_FEW, _MANY, _QUALITY = 300, 2_700, 84
_WARM_UP, _REQUESTS = 300, _FEW + _MANY
_COMPARED = 20
_SERVE, _PREDICT = "facemon serve", "facemon predict"
_QUIET, _WITHOUT_ACCESS_LOG = "facemon serve, two workers, no access log", "without_access_log.yaml"
_MOSEC_SHARE = 0.95
ABOUT = f"""\
{_REQUESTS:,} distinct JPEGs of 178x218 and about 12 KiB, {_CONNECTIONS} connections that stay open, no cache, the
network of the first section. CPU: processor seconds of all of a server's processes, user and system, over
{_REQUESTS:,} requests, after {_WARM_UP} that warm it up; the load generator is another process, takes part of the same
cores, and is not counted. `facemon serve` and `facemon predict` write the log; the other servers write nothing.
`facemon predict` is what {_REQUESTS:,} files cost above {_FEW}, so that its start-up does not count. BentoML, LitServe
and mosec, each as its documentation has it, run the same ONNX file by onnxruntime, decode by Pillow, and must give
facemon's answers. "Tuned" is beyond their documentation: their sessions get facemon's settings, one thread a call and
no spinning; they still hash, measure and log nothing. Each server is tried with one worker and two, and each of the
others without batches and with its own dynamic ones; what is best by CPU is kept. "Two workers": facemon and the tuned
servers with two workers each, and what an image costs in each of their processes. Medians of {ROUNDS} rounds.
"""


@dataclass(frozen=True, slots=True)
class Speed:
    """Images for a processor second of the server, and for a second on the clock."""

    of_cpu: float
    of_wall: float
    processes: tuple[float, ...] = ()
    """Milliseconds of processor time an image takes in each of the server's processes that takes any."""


def measure(folder: Path) -> Iterator[Line | Table]:
    """The ratios of images per processor second."""
    site = prepared(folder)
    network = site / "mobilenet.onnx"
    documented, tuned = (peer_servers(network, tuned=is_tuned) for is_tuned in (False, True))
    candidates = {_SERVE: facemon_servers(), **documented, **tuned}
    images = site / "images"
    first = {name: {each.name: _served(each, site, images) for each in servers} for name, servers in candidates.items()}
    kept = {name: _best(servers, first[name]) for name, servers in candidates.items()}
    _compare_answers(kept, site, sorted(images.rglob("*.jpg"))[:_COMPARED])
    sides: dict[str, Callable[[], Speed]] = {name: partial(_served, each, site, images) for name, each in kept.items()}
    sides[_PREDICT] = partial(_predicted, site)
    alike = _two_workers(tuned, first, site)
    sides |= {name: partial(_served, each, site, images) for name, each in alike.items()}
    speeds = {name: _median(each) for name, each in rounds(sides).items()}
    yield from _lines({name: speed for name, speed in speeds.items() if name not in {*tuned, *alike}})
    yield from _lines_alike({name: speeds[name] for name in alike})
    yield _table(speeds, {name: each.name for name, each in (kept | alike).items()})
    yield _tried(first)


def _two_workers(
    tuned: Mapping[str, Sequence[Server]], first: Mapping[str, Mapping[str, Speed]], site: Path
) -> dict[str, Server]:
    """Servers of two workers: ours, with its access log and without, and of each tuned one what is best by CPU."""
    found = {f"{_SERVE}, two workers": with_workers(2)}
    found[_QUIET] = with_workers(2, site / _WITHOUT_ACCESS_LOG)
    for name, servers in tuned.items():
        two = [each for each in servers if each.name.startswith("2 workers")]
        found[f"{name}, two workers"] = _best(two, first[name])
    return found


def prepared(folder: Path) -> Path:
    """A folder with the network, a configuration without a cache, and the images."""
    write_mobilenet(folder / "mobilenet.onnx")
    (folder / "facemon.yaml").write_text(f"{config_text()}api: {{cache_size: 0}}\n")
    (folder / _WITHOUT_ACCESS_LOG).write_text(f"{config_text()}api: {{cache_size: 0, access_log: false}}\n")
    files = crops(folder / "images", SIZES["178x218"], _REQUESTS, quality=_QUALITY)
    for name, some in (("few", files[:_FEW]), ("many", files[_FEW:])):
        (folder / "images" / name).mkdir()
        for file in some:
            file.rename(file.parent / name / file.name)
    return folder


def _served(server: Server, site: Path, images: Path) -> Speed:
    shutil.rmtree(site / ".facemon", ignore_errors=True)
    with running(server, site) as up:
        up.load(images, _WARM_UP, _CONNECTIONS)
        outcome = up.load(images, _REQUESTS, _CONNECTIONS)
    if outcome.statuses != {"200": _REQUESTS}:
        raise RuntimeError(f"{server.name} answered {outcome.statuses}")
    processes = tuple(1000 * seconds / _REQUESTS for seconds in outcome.cpu_of_processes if seconds > 0)
    return Speed(_REQUESTS / outcome.cpu_seconds, _REQUESTS / outcome.seconds, processes)


def _best(servers: Sequence[Server], speeds: Mapping[str, Speed]) -> Server:
    return max(servers, key=lambda server: speeds[server.name].of_cpu)


def _predicted(site: Path) -> Speed:
    few, all_of_them = (_predict_usage(site, folders) for folders in (["few"], ["few", "many"]))
    return Speed(_MANY / (all_of_them.cpu - few.cpu), _MANY / (all_of_them.wall - few.wall))


def _predict_usage(site: Path, folders: Sequence[str]) -> Usage:
    shutil.rmtree(site / ".facemon", ignore_errors=True)
    return run_measured([FACEMON, "predict", "-q", *(site / "images" / name for name in folders)], site)


def _compare_answers(servers: Mapping[str, Server], site: Path, files: Sequence[Path]) -> None:
    """RuntimeError where a server does not say what facemon says: then it would not do the same work."""
    said: dict[str, list[dict[str, tuple[str, float]]]] = {}
    for name, server in servers.items():
        with running(server, site) as up:
            said[name] = [_said(up, path.read_bytes()) for path in files]
    ours = said[_SERVE]
    for name, answers in said.items():
        for path, expected, answer in zip(files, ours, answers, strict=True):
            for head in HEADS:
                label, confidence = answer[head]
                if label != expected[head][0] or abs(confidence - expected[head][1]) > 1e-3:
                    raise RuntimeError(f"{name} says {answer[head]} of {head} in {path.name}, not {expected[head]}")


def _said(up: Running, image: bytes) -> dict[str, tuple[str, float]]:
    answer = up.answer(image)
    if isinstance(answer, list):
        (answer,) = answer
    attributes = answer["predictions"][0]["attributes"] if "predictions" in answer else answer
    return {head: (attributes[head]["label"], attributes[head]["confidence"]) for head in HEADS}


def _median(speeds: Sequence[Speed]) -> Speed:
    processes = tuple(map(median, zip(*(each.processes for each in speeds), strict=False)))
    return Speed(median(each.of_cpu for each in speeds), median(each.of_wall for each in speeds), processes)


def _lines(speeds: Mapping[str, Speed]) -> Iterator[Line]:
    ours = speeds[_SERVE]
    for name, other in speeds.items():
        if name == _SERVE:
            continue
        ratio, wall = ours.of_cpu / other.of_cpu, ours.of_wall / other.of_wall
        value, note = f"{ratio:.2f}x", f"by the clock {wall:.2f}x"
        wanted, reached = ("≥ 0.75x", ratio >= 0.75) if name == _PREDICT else ("> 1x", ratio > 1)
        yield Line(f"`facemon serve`, images per CPU second: against {name}", value, wanted, reached, note)


def _lines_alike(speeds: Mapping[str, Speed]) -> Iterator[Line]:
    """Servers of two workers each: ours must be ahead of two of the others, by CPU and by the clock, and near mosec."""
    ours = speeds[f"{_SERVE}, two workers"]
    for name, other in speeds.items():
        if name.startswith(_SERVE):
            continue
        is_mosec = name.startswith("mosec")
        least, wanted = (_MOSEC_SHARE, f"≥ {_MOSEC_SHARE}x") if is_mosec else (1.0, "≥ 1x")
        for what, ratio in (("CPU", ours.of_cpu / other.of_cpu), ("the clock", ours.of_wall / other.of_wall)):
            yield Line(f"`facemon serve` against {name}: by {what}", f"{ratio:.2f}x", wanted, ratio >= least)
        if is_mosec:
            ratio, wall = (speeds[_QUIET].of_cpu / other.of_cpu, speeds[_QUIET].of_wall / other.of_wall)
            what, note = f"`{_SERVE}` without access log against {name}: by CPU", f"by the clock {wall:.2f}x"
            yield Line(what, f"{ratio:.2f}x", "≥ 1x", ratio >= 1, note)


def _table(speeds: Mapping[str, Speed], best: Mapping[str, str]) -> Table:
    rows = [
        (
            name,
            best.get(name, ""),
            f"{speed.of_cpu:.0f}",
            f"{speed.of_wall:.0f}",
            " + ".join(f"{each:.2f}" for each in speed.processes),
        )
        for name, speed in speeds.items()
    ]
    headings = ("server", "settings", "images per CPU second", "images per second", "ms of CPU an image, by process")
    return Table(headings, tuple(rows))


def _tried(first: Mapping[str, Mapping[str, Speed]]) -> Table:
    """What each setting reached in the one run that chose among them."""
    rows = [
        (name, setting, f"{speed.of_cpu:.0f}", f"{speed.of_wall:.0f}")
        for name, tried in first.items()
        for setting, speed in tried.items()
    ]
    return Table(("tried", "settings", "images per CPU second", "images per second"), tuple(rows))
