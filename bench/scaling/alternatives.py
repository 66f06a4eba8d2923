"""What the charts' defaults are compared with: each differs from them in one thing."""

from dataclasses import dataclass, replace
from typing import Any

from . import charts, rates
from .behavior import KUBERNETES
from .charts import Setup
from .rates import Rates

# Tried as autoscaling.perPod: requests a second of an api, unread entries and due charges of each worker.
PER_POD = {
    "api": {"requestsPerSecond": 500.0},
    "retry-worker": {"streamLag": 500.0, "dueAttempts": 500.0},
    "notifier": {"streamLag": 500.0},
}
WORKERS = ("retry-worker", "notifier")


@dataclass(frozen=True)
class Alternative:
    name: str
    setup: Setup
    rates: Rates


def defaults() -> Alternative:
    return Alternative("**the charts' defaults**", charts.setup(), rates.read(charts.places()))


def small(ours: Alternative) -> list[Alternative]:
    """What is worth comparing with ours where the least number of replicas is idle anyway."""
    setups = {**_pods_at_least(ours.setup, 1, 2, 3), "nodes are full": replace(ours.setup, full_nodes=True)}
    return _differing(ours, setups)


def large(ours: Alternative) -> list[Alternative]:
    of = ours.setup
    per_pod = {name: replace(scaling, externals=PER_POD[name]) for name, scaling in of.services.items()}
    setups = {
        **{f"target {percent} %": of.each(target_percent=percent) for percent in (50, 65, 80)},
        **{f"api requests {milli}m": _of(of, ("api",), request=milli / 1000) for milli in (100, 250, 500)},
        **{f"workers request {milli}m": _of(of, WORKERS, request=milli / 1000) for milli in (50, 100, 250, 500)},
        **_pods_at_least(of, 1, 2, 3),
        "api at least 8": _of(of, ("api",), least=8),
        **{f"workers at most {most}": _of(of, WORKERS, most=most) for most in (10, 20, 40)},
        "api at most 20": _of(of, ("api",), most=20),
        "Kubernetes' own behavior": of.each(behavior=KUBERNETES),
        "by what waits, too": replace(of, services=per_pod),
        "pods ready after 2 min": replace(of, start_s=120 - of.ready_s),
        "nodes are full": replace(of, full_nodes=True),
    }
    more_places = {work: 2 * places for work, places in charts.places().items()}
    return [*_differing(ours, setups), Alternative("twice the places", of, rates.read(more_places))]


def _differing(ours: Alternative, setups: dict[str, Setup]) -> list[Alternative]:
    return [Alternative(name, setup, ours.rates) for name, setup in setups.items() if setup != ours.setup]


def _pods_at_least(setup: Setup, *numbers: int) -> dict[str, Setup]:
    return {f"at least {least}": setup.each(least=least) for least in numbers}


def _of(setup: Setup, services: tuple[str, ...], **changes: Any) -> Setup:
    """The same change to some of them."""
    changed = {name: replace(setup.services[name], **changes) for name in services}
    return replace(setup, services={**setup.services, **changed})
