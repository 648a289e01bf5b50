"""The files of secrets: those that the rendered servers read are there."""

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from facemon.doctor.area import Area
from facemon.doctor.examination import Examination
from facemon.doctor.finding import Examined, Finding
from facemon.domain.counted import counted


@dataclass(frozen=True, slots=True)
class SecretFacts:
    """The files that Prometheus, Alertmanager and Grafana read; their content is never read."""

    folder: Path
    files: Sequence[Path] = ()
    missing: Sequence[Path] = ()
    """Those that are not there, or are empty."""
    unseen: Sequence[Path] = ()
    """Those in folders that this user may not look into: only the users of the servers have to."""
    is_seen: bool = True
    """Whether they are files of this machine, as far as it can tell."""


def gather(examination: Examination) -> SecretFacts | None:
    """Look whether they are there; None where nothing was rendered, so that no server reads them yet."""
    from facemon.render.purpose import runs_containers
    from facemon.render.secret_files import monitoring_secrets, secrets_of, seen_at
    from facemon.render.stack import Part

    config, parts = examination.fitted, examination.rendered_parts
    if not parts:
        return None
    names = monitoring_secrets(config)
    if Part.COMPOSE not in parts:  # which mounts all of them
        names = tuple(dict.fromkeys(name for part in sorted(parts) for name in secrets_of(part, config)))
    if runs_containers(config):
        folder, files = config.directory, [config.directory / name for name in names]
    else:
        folder, files = Path(config.stack.secrets_dir), [Path(seen_at(config, name)) for name in names]
    if not folder.is_dir():
        return SecretFacts(folder, files, is_seen=False)
    there = {each: _is_there(each) for each in files}
    missing, unseen = ([path for path, found in there.items() if found is state] for state in (False, None))
    return SecretFacts(folder, files, missing, unseen)


def _is_there(path: Path) -> bool | None:
    """Whether a file holds something; None where this user may not know."""
    try:
        about = path.stat()
    except PermissionError:
        return None
    except OSError:
        return False
    return stat.S_ISREG(about.st_mode) and about.st_size > 0


def judge(facts: SecretFacts | None) -> Examined:
    """Name those without which no notification is sent."""
    if facts is None:
        return Examined(not_looked_at=("files of secrets: nothing was rendered yet",))
    if not facts.files:
        return Examined("none is read")
    if not facts.is_seen:
        where = f"{facts.folder} (stack.secrets_dir) is not on this machine"
        return Examined(not_looked_at=(f"files of secrets: {where}; look where the servers run",))
    seen = len(facts.files) - len(facts.unseen)
    where = ", ".join(sorted({str(each.parent) for each in facts.unseen}))
    advice = f"files of secrets in {where}: permission denied; run facemon doctor as the user of the servers"
    looked_at = f"{counted(seen, 'file')} in {facts.folder}" if seen else ""
    return Examined(looked_at, tuple(_finding(each) for each in facts.missing), (advice,) if facts.unseen else ())


def _finding(path: Path) -> Finding:
    seen = f"{path} is not there, or is empty, and a server reads it when it needs it"
    return Finding("the file of a secret is missing", seen, f"write the secret into {path}")


AREA = Area("secrets", gather, judge)
