"""What a compose file must not do: run another version tomorrow, open a port to the world, or lose a secret's file."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from facemon.config.document import Config
from facemon.config.quantities import Listen
from facemon.render.lint.finding import Finding, LintedFile
from facemon.render.rendered_content import Keys, strings

_PINNED = re.compile(r".+@sha256:[0-9a-f]{64}|.+:(?!latest$)[A-Za-z0-9._-]+")
_CONFIG_OPTION = "--config.file="
_SECRETS_DIR = "/run/secrets"


def compose_findings(files: tuple[LintedFile, ...], config: Config) -> Iterator[Finding]:
    """What is wrong with the containers of every compose file, and with the images of all files."""
    for file in files:
        yield from _versions(file)
    composes = [file for file in files if _is_compose(file)]
    secrets = {name for file in composes for name in file.content.get("secrets", {})}
    rendered = {file.path: file for file in files}
    for file in composes:
        for name, service in file.content["services"].items():
            here: Keys = ("services", name)
            if not {"image", "build"} & set(service):
                yield file.fault((*here, "image"), "is missing", "name an image with its version")
            yield from _ports(file, here, service, config)
            yield from _unmounted(file, here, service, rendered)
            wanted = (*_files_read(file, service, rendered), *_tokens_read(service, config))
            yield from _mounts(file, here, service, wanted, secrets)


def _is_compose(file: LintedFile) -> bool:
    """Whether a file is for docker compose."""
    return isinstance(file.content, dict) and isinstance(file.content.get("services"), dict)


def _versions(file: LintedFile) -> Iterator[Finding]:
    """Images without a version, in compose files and whatever else starts containers."""
    for place, image in strings(file.content):
        # A colon before a slash is a registry's port.
        if place[-1:] == ("image",) and not _PINNED.fullmatch(image.rsplit("/", 1)[-1]):
            yield file.fault(place, f"{image} names no version", "pin it: another one runs tomorrow")


def _ports(file: LintedFile, here: Keys, service: Mapping[str, Any], config: Config) -> Iterator[Finding]:
    if service.get("network_mode") == "host":
        yield file.fault((*here, "network_mode"), "opens every port of the service", "publish the ports it needs")
    for place, port in enumerate(service.get("ports", ())):
        host = _host_of(port)
        if host != config.stack.listen and not (host and Listen(host, 0).is_loopback):
            where = host or "every address"
            yield file.fault((*here, "ports", place), f"is open on {where}, and stack.listen is {config.stack.listen}",
                             "begin it with the address")  # fmt: skip


def _host_of(port: Any) -> str:
    """The address that a port is open on; empty for all of them."""
    if isinstance(port, dict):
        return str(port.get("host_ip", ""))
    parts = re.fullmatch(r"(?:(\[[^\]]*\]|[^:]*):)?[^:]*:[^:]*", str(port))
    return (parts[1] or "") if parts else ""


def _mounts(
    file: LintedFile, here: Keys, service: Mapping[str, Any], files: Iterable[tuple[str, str]], secrets: set[str]
) -> Iterator[Finding]:
    mounted = dict(_secret_targets(service))
    for source, target in mounted.items():
        if source not in secrets:
            yield file.fault((*here, "secrets"), f"mounts the secret {source}, which is not defined",
                             f"name its file under secrets ({target})")  # fmt: skip
    for where, wanted in files:
        volumes = tuple(destination for _, destination in _volumes(service))
        is_there = wanted in mounted.values() or any(PurePosixPath(wanted).is_relative_to(each) for each in volumes)
        if not is_there:
            yield file.fault((*here, "secrets"), f"does not mount {wanted}, which {where} reads",
                             "mount the secret there")  # fmt: skip


def _files_read(
    file: LintedFile, service: Mapping[str, Any], rendered: Mapping[str, LintedFile]
) -> Iterator[tuple[str, str]]:
    """The secrets' files that a service reads: who says so, and the path."""
    environment = service.get("environment", {})
    for name, value in environment.items() if isinstance(environment, dict) else ():
        if name.endswith("_FILE"):
            yield name, _unescaped(value)
    for _, path in _configurations(file, service):
        for place, value in strings(rendered[path].content) if path in rendered else ():
            if str(place[-1]).endswith("_file"):
                yield path, value


def _configurations(file: LintedFile, service: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The files that a service is started with: the path in its container, and the rendered file that it sees there."""
    for word in service.get("command", ()):
        if str(word).startswith(_CONFIG_OPTION):
            inside = str(word).removeprefix(_CONFIG_OPTION)
            yield inside, _rendered_path(file, service, inside)


def _unmounted(
    file: LintedFile, here: Keys, service: Mapping[str, Any], rendered: Mapping[str, LintedFile]
) -> Iterator[Finding]:
    """Configurations that were rendered, but not where the service looks."""
    names = {PurePosixPath(path).name for path in rendered}
    for inside, path in _configurations(file, service):
        if path not in rendered and PurePosixPath(inside).name in names:
            yield file.fault((*here, "volumes"), f"does not mount the rendered file at {inside}", "mount its folder")


def _tokens_read(service: Mapping[str, Any], config: Config) -> Iterator[tuple[str, str]]:
    """The file of tokens, for the service that is facemon's API: it is looked for beside the configuration."""
    if config.api.tokens_file is not None and "serve" in service.get("command", ()):
        yield "api.tokens_file", posixpath.join(service.get("working_dir", "/"), config.api.tokens_file)


def _rendered_path(file: LintedFile, service: Mapping[str, Any], inside: str) -> str:
    """The rendered file that a container sees at a path; empty if there is none."""
    for source, destination in _volumes(service):
        if PurePosixPath(inside).is_relative_to(destination):
            rest = PurePosixPath(inside).relative_to(destination)
            return posixpath.normpath(posixpath.join(posixpath.dirname(file.path), source, rest))
    return ""


def _secret_targets(service: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for secret in service.get("secrets", ()):
        source = secret["source"] if isinstance(secret, dict) else secret
        target = secret.get("target", source) if isinstance(secret, dict) else source
        yield source, posixpath.join(_SECRETS_DIR, _unescaped(target))


def _volumes(service: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for volume in service.get("volumes", ()):
        if isinstance(volume, dict):
            yield str(volume.get("source", "")), _unescaped(volume["target"])
        else:
            source, destination, *_ = str(volume).split(":")
            yield source, destination


def _unescaped(text: Any) -> str:
    """A text as the container gets it: two dollars stand for one."""
    return str(text).replace("$$", "$")
