"""`spec.behavior` of a HorizontalPodAutoscaler: how fast it may scale.

https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#configurable-scaling-behavior, and where that leaves
something open, pkg/controller/podautoscaler/horizontal.go of Kubernetes.
"""

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Policy:
    """No more than `value` pods, or percent of them, in any `period_s` seconds."""

    kind: str
    value: int
    period_s: float


@dataclass(frozen=True)
class Rules:
    """One direction. `select`: Max takes the policy that allows the greatest change, Min the smallest, Disabled none."""

    window_s: float
    select: str
    policies: tuple[Policy, ...]


@dataclass(frozen=True)
class Behavior:
    up: Rules
    down: Rules


KUBERNETES = Behavior(
    up=Rules(0, "Max", (Policy("Percent", 100, 15), Policy("Pods", 4, 15))),
    down=Rules(300, "Max", (Policy("Percent", 100, 15),)),
)


def behavior_of(given: dict[str, Any]) -> Behavior:
    """What is left out is as Kubernetes has it."""
    return Behavior(_rules(given.get("scaleUp", {}), KUBERNETES.up), _rules(given.get("scaleDown", {}), KUBERNETES.down))


def _rules(given: dict[str, Any], otherwise: Rules) -> Rules:
    policies = tuple(Policy(one["type"], one["value"], one["periodSeconds"]) for one in given.get("policies", ()))
    return Rules(
        given.get("stabilizationWindowSeconds", otherwise.window_s),
        given.get("selectPolicy", "Max"),
        policies or otherwise.policies,
    )


class Pace:
    """Holds an autoscaler to its behavior: remembers what it wanted and what it did."""

    def __init__(self, behavior: Behavior) -> None:
        self._behavior = behavior
        self._wanted: list[tuple[float, int]] = []
        # Changes made: positive ones added pods.
        self._made: list[tuple[float, int]] = []
        self._longest_window = max(behavior.up.window_s, behavior.down.window_s)
        self._longest_period = max(policy.period_s for rules in (behavior.up, behavior.down) for policy in rules.policies)

    def next(self, now: float, current: int, wanted: int) -> int:
        """How many pods there may be now."""
        self._wanted.append((now, wanted))
        stable = self._stabilized(now, current)
        allowed = stable
        if stable > current:
            allowed = min(stable, self._most(now, current))
        elif stable < current:
            allowed = max(stable, self._least(now, current))
        if allowed != current:
            self._made.append((now, allowed - current))
        self._forget(now)
        return allowed

    def _stabilized(self, now: float, current: int) -> int:
        """Up no further than the least wanted in the window for scaling up, down no further than the most in the other."""
        up, down = self._behavior.up.window_s, self._behavior.down.window_s
        lowest = min(wanted for at, wanted in self._wanted if at > now - up or at == now)
        highest = max(wanted for at, wanted in self._wanted if at > now - down or at == now)
        return min(max(current, lowest), highest)

    def _most(self, now: float, current: int) -> int:
        rules, limits = self._behavior.up, []
        if rules.select == "Disabled":
            return current
        for policy in rules.policies:
            start = self._at_start(now, current, policy.period_s)
            limits.append(start + policy.value if policy.kind == "Pods" else math.ceil(start * (100 + policy.value) / 100))
        return max(current, max(limits) if rules.select == "Max" else min(limits))

    def _least(self, now: float, current: int) -> int:
        rules, limits = self._behavior.down, []
        if rules.select == "Disabled":
            return current
        for policy in rules.policies:
            start = self._at_start(now, current, policy.period_s)
            # What is left is rounded down, so what is taken away is rounded up.
            limits.append(start - policy.value if policy.kind == "Pods" else start * (100 - policy.value) // 100)
        return min(current, min(limits) if rules.select == "Max" else max(limits))

    def _at_start(self, now: float, current: int, period_s: float) -> int:
        return current - sum(change for at, change in self._made if at > now - period_s)

    def _forget(self, now: float) -> None:
        self._wanted = [one for one in self._wanted if one[0] > now - self._longest_window]
        self._made = [one for one in self._made if one[0] > now - self._longest_period]
