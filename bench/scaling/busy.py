"""Whether an autoscaler by CPU sees that a worker has all it can do.

A charge and a mail are mostly waited for. A pod whose places are all taken can do no more, however little processor time it
uses; if that is less than the autoscaler's target, no pod is ever added and the backlog grows.
"""

from dataclasses import dataclass

from .charts import Setup
from .hpa import TOLERANCE
from .rates import Rates

DOES = {"api": ("api",), "retry-worker": ("plan", "charge"), "notifier": ("hand_over",)}


@dataclass(frozen=True)
class Busy:
    """One kind of work alone, as much as a replica can do. `percent`: its processor time, in percent of the request."""

    service: str
    work: str
    per_s: float
    percent: float
    target: int

    @property
    def is_seen(self) -> bool:
        return self.percent > self.target * (1 + TOLERANCE)


def busy(setup: Setup, rates: Rates) -> list[Busy]:
    found = []
    for service, works in DOES.items():
        scaling = setup.services[service]
        for work in works:
            rate = getattr(rates, work)
            per_s = min(rate.per_s, scaling.limit / rate.cpu_s)
            found.append(Busy(service, work, per_s, per_s * rate.cpu_s / scaling.request * 100, scaling.target_percent))
    return found
