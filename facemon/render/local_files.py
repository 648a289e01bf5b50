"""What is made once beside the rendered files and belongs to this machine alone: Grafana's password, variables.

Nothing of it is rendered, so that rendered files are the same everywhere and `--check` does not look at it.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from facemon.config.document import Config
from facemon.errors import FacemonError
from facemon.render.compose_full import API_VARIABLES, VARIABLES, own_services
from facemon.render.output_tree import make_folder
from facemon.render.purpose import MADE_PASSWORD
from facemon.render.secret_files import secrets_of, secrets_variable

_GRAFANA_USER_VARIABLE = "FACEMON_GRAFANA_USER"
_GRAFANA_USER = 472
"""The user of Grafana's image."""
_PASSWORD_BYTES = 24
_TEXTFILE = "monitoring/textfile"
_OPEN = stat.S_IROTH | stat.S_IXOTH
_ABOUT = "# written by facemon render-config for this machine; other lines are kept\n"


def make_local_files(config: Config, out_dir: Path) -> list[str]:
    """Make what is missing below the output folder, and say what was made; FacemonError where the system refuses.

    `config` is fitted to the folder.
    """
    try:
        made = list(_made(config, out_dir))
        _update(out_dir / VARIABLES, dict(_variables(config, _lines(out_dir / VARIABLES))))
        if secrets_of("api", config):
            _update(out_dir / API_VARIABLES, {secrets_variable("api"): _stamp("api", config)})
    except OSError as error:
        raise FacemonError(
            f"{error.filename or out_dir}: cannot be written: {(error.strerror or str(error)).lower()}"
        ) from error
    return [*made, *_missing(config), *_unreadable(out_dir)]


def _made(config: Config, out_dir: Path) -> Iterator[str]:
    password = out_dir / MADE_PASSWORD
    if _password_of(config) == Path(os.path.normpath(password.absolute())) and not password.exists():
        _make_password(password)
        yield f"made a password for Grafana's user admin: {password}, which is kept from now on"
    if config.prometheus.store_metrics_from == "textfile":
        # Compose would make it root's.
        make_folder(out_dir / _TEXTFILE)


def _password_of(config: Config) -> Path:
    return Path(os.path.normpath(config.directory.absolute() / (config.grafana.admin_password_file or "")))


def _make_password(path: Path) -> None:
    import secrets

    if not path.parent.exists():
        make_folder(path.parent.parent)
        path.parent.mkdir(mode=0o700)
        (path.parent / ".gitignore").write_text("*\n")
    # A link that lies there is not followed, and a file is never replaced.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(_PASSWORD_BYTES))
        if os.geteuid() == 0:
            os.fchown(file.fileno(), _GRAFANA_USER, 0)


def _variables(config: Config, before: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    user = _grafana_user(config)
    # What Grafana has stored belongs to the user that it had: that one stays unless it could not read its password.
    if user is not None and user != before.get(_GRAFANA_USER_VARIABLE, str(_GRAFANA_USER)):
        yield _GRAFANA_USER_VARIABLE, user
    for kind in ("prometheus", "alertmanager", "grafana", "postgres"):
        if stamp := _stamp(kind, config):
            yield secrets_variable(kind), stamp


def _grafana_user(config: Config) -> str | None:
    """The user as which Grafana can read its password; None where any can, or only root."""
    with suppress(OSError):
        found = _password_of(config).stat()
        if not found.st_mode & stat.S_IROTH and found.st_uid != 0:
            return str(found.st_uid)
    return None


def _stamp(kind: str, config: Config) -> str:
    """What changes when a secret's file is replaced or edited; its content is not read."""
    found = []
    for file in secrets_of(kind, config):
        with suppress(OSError):
            status = (config.directory / file).stat()
            found.append((file, status.st_ino, status.st_size, status.st_mtime_ns))
    return sha256(repr(found).encode()).hexdigest()[:12] if found else ""


def _missing(config: Config) -> Iterator[str]:
    """What compose mounts and does not find."""
    kinds = ("prometheus", "alertmanager", "grafana", "postgres", "api")
    files = dict.fromkeys(file for kind in kinds for file in secrets_of(kind, config))
    hidden = [file for file in files if _is_hidden(config.directory / file)]
    if missing := [file for file in files if file not in hidden and not (config.directory / file).exists()]:
        yield f"compose starts nothing as long as these secrets are missing: {', '.join(missing)}"
    if hidden:
        yield f"this user may not enter the folders of these secrets, so they may be missing: {', '.join(hidden)}"
    if own_services(config):
        mounted = {config.file_name: "facemon init writes it", config.store.path: "mkdir, by the user of FACEMON_USER"}
        for path, remedy in mounted.items():
            shown = os.path.relpath(config.directory / path, config.directory)
            if _is_hidden(config.directory / path):
                yield f"docker-compose.full.yml mounts {shown}, which may be missing: its folder is closed to this user"
            elif not (config.directory / path).exists():
                yield f"docker-compose.full.yml mounts {shown}, which is missing ({remedy})"


def _is_hidden(path: Path) -> bool:
    """Whether this user may not see if there is a file."""
    try:
        path.stat()
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def _unreadable(out_dir: Path) -> Iterator[str]:
    """Folders that were there before and that the users of containers cannot read."""
    roots = [out_dir / "monitoring" / name for name in ("prometheus", "alertmanager", "grafana")]
    folders = [Path(found) for root in roots for found, _, _ in os.walk(root)]
    if closed := [str(folder) for folder in folders if folder.stat().st_mode & _OPEN != _OPEN]:
        yield f"the users of containers cannot read {', '.join(closed)}: chmod -R o+rX {out_dir / 'monitoring'}"


def _lines(path: Path) -> dict[str, str]:
    """The variables in a file, as they are written there."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))


def _update(path: Path, values: Mapping[str, str]) -> None:
    """Give variables of a file these values and keep its other lines; the file is made even where there are none."""
    before = path.read_text(encoding="utf-8") if path.exists() else _ABOUT
    kept = [line for line in before.splitlines() if line.split("=", 1)[0] not in values]
    text = "".join(f"{line}\n" for line in (*kept, *(f"{name}={value}" for name, value in values.items())))
    if not path.exists() or text != before:
        make_folder(path.parent)
        # Not a new file: it may be a link, or mounted by itself.
        path.write_text(text, encoding="utf-8")
        path.chmod(0o644)
