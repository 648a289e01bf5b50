"""Reads a file of /etc/cron.d as cron does, by the words of crontab(5)."""

from typing import NamedTuple


class Cron(NamedTuple):
    """One job of a file, and the variables that hold for it."""

    variables: dict[str, str]
    times: str
    user: str
    command: str


def read(text: str) -> Cron:
    """The one job of a file."""
    (job,) = read_jobs(text)
    return job


def read_jobs(text: str) -> list[Cron]:
    """The jobs of a file, each with the variables before it."""
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
    crons = []
    for job in jobs:
        *times, user, command = job.split(" ", 6)
        # A percent sign would end the command; ours has none, so that nothing need be escaped.
        assert "%" not in command
        crons.append(Cron(variables, " ".join(times), user, command))
    return crons
