"""An area: what is gathered of it, and what follows from that."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from facemon.doctor.examination import Examination
from facemon.doctor.finding import Examined, finding_of
from facemon.errors import FacemonError
from facemon.system_errors import explained

Evidence = TypeVar("Evidence")


@dataclass(frozen=True, slots=True)
class Area(Generic[Evidence]):
    """One area. Only `gather` looks at files, ledgers and servers; `judge` is a function of what was gathered."""

    name: str
    gather: Callable[[Examination], Evidence]
    judge: Callable[[Evidence], Examined]

    def examine(self, examination: Examination) -> Examined:
        """Look, and judge; an error on the way is a finding."""
        try:
            evidence = self.gather(examination)
        except FacemonError as error:
            return Examined(findings=(finding_of(error),))
        except OSError as error:
            return Examined(findings=(finding_of(explained(error) or FacemonError(str(error))),))
        return self.judge(evidence)
