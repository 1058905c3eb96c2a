"""What a lane works on: requests, and those who wait for their answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..core.admission import Wanted
from ..core.exchange import Request, Response
from ..core.plan import RecipePlan, Unit
from ..core.result import Outcome

#: a unit by the ids of its recipe and its own
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a request: a response, or why there is none.

    ``outcome`` is set where another process has settled the unit already. ``stopped``: the endpoint's message, one for
    all. ``run_stopped``: nobody is asked any more. ``skipped``: this request is not, for its breaker or the budget.
    ``mock``: nothing was sent, since a mock would have answered.
    """

    response: Response | None = None
    error: str = ""
    cached: bool = False
    attempts: int = 0
    stopped: bool = False
    run_stopped: bool = False
    skipped: bool = False
    mock: bool = False
    outcome: Outcome | None = None


@dataclass(eq=False, slots=True)
class Work:
    """Somebody's need of an answer: a unit's (``plan`` and ``unit``) or a test's own question."""

    wanted: Wanted
    request: Request
    settle: Callable[[Work, Reply], None]
    plan: RecipePlan | None = None
    unit: Unit | None = None
    #: somebody stands still for it
    urgent: bool = False
    taken: bool = False
    #: nobody wants it any more
    dropped: bool = False

    @property
    def unit_key(self) -> Key:
        """Of a unit's work alone."""
        assert self.plan is not None
        assert self.unit is not None
        return self.plan.record.id, self.unit.record.id


@dataclass(eq=False, slots=True)
class Job:
    """One distinct request of this process while it is under way, with all who wait for it."""

    works: list[Work] = field(default_factory=list)
    due_ns: int = 0
    #: an attempt at it failed, and another waits for its time
    retries: bool = False

    @property
    def wanted(self) -> Wanted:
        return self.works[0].wanted

    @property
    def request(self) -> Request:
        return self.works[0].request

    @property
    def questions(self) -> list[Work]:
        """What a test asks for itself."""
        return [work for work in self.works if work.plan is None]

    @property
    def unwanted(self) -> bool:
        return all(work.dropped for work in self.works)

    @property
    def urgent(self) -> bool:
        # asked of every waiting request at every turn
        for work in self.works:  # noqa: SIM110 - as above: a generator would take thrice as long
            if work.urgent:
                return True
        return False
