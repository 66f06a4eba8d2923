"""Plays a day against the three services."""

from dataclasses import dataclass, field

from .charts import Setup
from .day import CHARGED_AGAIN, DAY, DECLINED_AGAIN, HOUR, STEP_S, Day
from .rates import Rates
from .service import Queue, Service

# Refused reports are sent again, by Stripe for three days and ever more seldom (https://docs.stripe.com/webhooks); exactly when
# is not said. Taken here is: spread over the hour that begins five minutes later.
AGAIN_FROM, AGAIN_FOR = 300 // STEP_S, HOUR
# The window of the external metric tinko_api_requests_per_second (helm/metrics-adapter.yaml).
RATE_WINDOW = 120 // STEP_S
# The gauge attempts_due counts no further (crates/db/src/attempts/waiting.rs).
MOST_COUNTED = 10_000
# What a failure waits for, one after the other.
WAITS = ("api", "plan", "charge", "hand_over")


@dataclass
class Outcome:
    """What became of a day. Waits in seconds, by kind of work; cost by service."""

    refused: float
    worst_age: dict[str, float]
    p99_wait: dict[str, float]
    replica_hours: dict[str, float]
    core_hours: dict[str, float]
    most_replicas: dict[str, int]
    changes: int
    left_over: float
    # Over time, for the picture: pods of each service, age of each backlog, cores requested by all.
    replicas: dict[str, list[int]] = field(default_factory=dict)
    ages: dict[str, list[float]] = field(default_factory=dict)
    requested: list[float] = field(default_factory=list)


def simulate(day: Day, setup: Setup, rates: Rates, room: int) -> Outcome:
    """`room`: requests that one api works on at a time, those that wait included; more are refused."""
    api = Service(setup.services["api"], setup, {"api": Queue(rates.api)}, STEP_S)
    worker_queues = {"plan": Queue(rates.plan), "charge": Queue(rates.charge), "put_off": Queue(rates.put_off)}
    worker = Service(setup.services["retry-worker"], setup, worker_queues, STEP_S)
    notifier = Service(setup.services["notifier"], setup, {"hand_over": Queue(rates.hand_over)}, STEP_S)
    services = {"api": api, "retry-worker": worker, "notifier": notifier}
    queues = {**api.queues, **worker.queues, **notifier.queues}
    again = [0.0] * (DAY + AGAIN_FROM + AGAIN_FOR + 1)
    coming_again = refused = rate = 0.0
    replicas: dict[str, list[int]] = {name: [] for name in services}
    ages: dict[str, list[float]] = {name: [] for name in WAITS}
    for step in range(DAY):
        now = float(step * STEP_S)
        coming_again += again[step]
        queues["api"].add(step, day.reports[step] + max(0.0, coming_again))
        rate += (day.reports[step] / STEP_S - rate) / RATE_WINDOW
        taken = api.work(step, now)["api"]
        too_many = queues["api"].length - room * api.ready(now)
        if too_many > 0:
            queues["api"].drop_newest(too_many)
            refused += too_many
            again[step + AGAIN_FROM] += too_many / AGAIN_FOR
            again[step + AGAIN_FROM + AGAIN_FOR] -= too_many / AGAIN_FOR
        queues["plan"].add(step, taken)
        queues["charge"].add(step, day.charges[step])
        queues["put_off"].add(step, day.put_off[step])
        did = worker.work(step, now)
        queues["hand_over"].add(step, did["plan"] * (1 - CHARGED_AGAIN) + did["charge"] * DECLINED_AGAIN)
        notifier.work(step, now)
        api.scale(now + STEP_S, {"requestsPerSecond": rate})
        due = min(queues["charge"].length + queues["put_off"].length, MOST_COUNTED)
        worker.scale(now + STEP_S, {"streamLag": queues["plan"].length, "dueAttempts": due})
        notifier.scale(now + STEP_S, {"streamLag": queues["hand_over"].length})
        for name, service in services.items():
            replicas[name].append(service.pods)
        for name in WAITS:
            ages[name].append(queues[name].age(step) * STEP_S)
    requests = {name: setup.services[name].request for name in services}
    hours = {name: sum(pods) / HOUR for name, pods in replicas.items()}
    return Outcome(
        refused=refused / sum(day.reports),
        worst_age={name: max(ages[name]) for name in WAITS},
        p99_wait={name: _quantile(queues[name].waited, 0.99) * STEP_S for name in WAITS},
        replica_hours=hours,
        core_hours={name: hours[name] * requests[name] for name in services},
        most_replicas={name: max(pods) for name, pods in replicas.items()},
        changes=sum(service.changes for service in services.values()),
        left_over=sum(queue.length for queue in queues.values()),
        replicas=replicas,
        ages=ages,
        requested=[sum(replicas[name][step] * requests[name] for name in services) for step in range(DAY)],
    )


def _quantile(waited: dict[int, float], quantile: float) -> int:
    left = sum(waited.values()) * quantile
    for wait in sorted(waited):
        left -= waited[wait]
        if left <= 1e-6:
            return wait
    return max(waited, default=0)
