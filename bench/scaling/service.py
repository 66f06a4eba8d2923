"""A service's pods and what waits for them."""

from collections import deque

from . import hpa
from .charts import Scaling, Setup
from .rates import Rate

# What sums of fractions may be off by.
NOTHING = 1e-6


class Queue:
    """First in, first out. Amounts are fractions of events where need be; what is asked is how long they wait, in steps."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self.length = 0.0
        self._waiting: deque[list[float]] = deque()
        # How much waited how long.
        self.waited: dict[int, float] = {}

    def add(self, step: int, amount: float) -> None:
        if amount > NOTHING:
            self._waiting.append([step, amount])
            self.length += amount

    def take(self, step: int, amount: float) -> None:
        self.length = max(0.0, self.length - amount)
        while amount > 0 and self._waiting:
            came, there = self._waiting[0]
            taken = min(there, amount)
            amount -= taken
            wait = step - int(came)
            self.waited[wait] = self.waited.get(wait, 0.0) + taken
            if taken >= there - NOTHING:
                self._waiting.popleft()
            else:
                self._waiting[0][1] = there - taken
        if self.length < NOTHING:
            self.length = 0.0
            self._waiting.clear()

    def age(self, step: int) -> int:
        """How long what came first has waited."""
        return step - int(self._waiting[0][0]) if self._waiting else 0

    def drop_newest(self, amount: float) -> None:
        """Refuses what came last."""
        self.length -= amount
        while amount > NOTHING and self._waiting:
            there = self._waiting[-1][1]
            if there > amount:
                self._waiting[-1][1] = there - amount
                return
            amount -= there
            self._waiting.pop()


class Service:
    """One Deployment with its autoscaler. `externals`: what each external metric is, by its name under autoscaling.perPod."""

    def __init__(self, scaling: Scaling, setup: Setup, queues: dict[str, Queue], step_s: int) -> None:
        self._scaling, self._setup, self._step_s = scaling, setup, step_s
        self.queues = queues
        # Those of the least number run for long.
        self._pods = [hpa.Pod(-1e6, -1e6, -1e6) for _ in range(scaling.least)]
        self._autoscaler = hpa.Autoscaler(scaling.least, scaling.most, scaling.target_percent, scaling.behavior)
        self._cores = scaling.request if setup.full_nodes else scaling.limit
        self._used = self._seen_percent = 0.0
        self._looked_at, self._next_look, self._next_sync = -1e6, 0.0, 10.0
        self._figures: dict[str, float] = {}
        self.changes = 0

    @property
    def pods(self) -> int:
        return len(self._pods)

    def ready(self, now: float) -> int:
        return sum(pod.ready <= now for pod in self._pods)

    def work(self, step: int, now: float) -> dict[str, float]:
        """One step's work; answers what was done of each kind."""
        ready, seconds = self.ready(now), self._step_s
        wanted = {name: min(queue.length, ready * queue.rate.per_s * seconds) for name, queue in self.queues.items()}
        cpu = sum(amount * self.queues[name].rate.cpu_s for name, amount in wanted.items())
        part = min(1.0, ready * self._cores * seconds / cpu) if cpu else 1.0
        self._used += cpu * part / max(1, ready)
        done = {}
        for name, amount in wanted.items():
            done[name] = amount * part
            self.queues[name].take(step, amount * part)
        return done

    def scale(self, now: float, externals: dict[str, float]) -> None:
        """At the end of a step: metrics-server looks, and the autoscaler does, a few seconds later."""
        if now >= self._next_look:
            self._seen_percent = self._used / hpa.METRICS_S / self._scaling.request * 100
            self._used, self._looked_at, self._figures = 0.0, now, externals
            self._next_look = now + hpa.METRICS_S
        if now >= self._next_sync:
            self._next_sync = now + hpa.SYNC_S
            self._sync(now)

    def _sync(self, now: float) -> None:
        current = len(self._pods)
        seen = hpa.look(self._pods, now, self._looked_at)
        asked = [(self._figures[name], per_pod) for name, per_pod in self._scaling.externals.items() if name in self._figures]
        wanted = self._autoscaler.sync(now, current, self._seen_percent, seen, asked)
        if wanted == current:
            return
        self.changes += 1
        if wanted > current:
            runs = now + self._setup.start_s
            self._pods += [hpa.Pod(now, runs, runs + self._setup.ready_s) for _ in range(wanted - current)]
        else:
            # The youngest go first; those that are not ready are among them.
            del self._pods[wanted:]
