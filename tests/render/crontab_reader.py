"""Reads a file of /etc/cron.d as cron does, by the words of crontab(5)."""

from typing import NamedTuple


class Cron(NamedTuple):
    """What a file says."""

    variables: dict[str, str]
    times: str
    user: str
    command: str


def read(text: str) -> Cron:
    """The variables and the one job of a file."""
    variables, jobs = {}, []
    for line in text.split("\n"):
        name, equals, value = line.partition("=")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if equals and name.isidentifier():
            value = value.strip(" \t")
            quoted = len(value) > 1 and value[0] in "'\"" and value[-1] == value[0]
            variables[name] = value[1:-1] if quoted else value
        else:
            jobs.append(line)
    (job,) = jobs
    *times, user, command = job.split(" ", 6)
    # A percent sign would end the command; ours has none, so that nothing need be escaped.
    assert "%" not in command
    return Cron(variables, " ".join(times), user, command)
