"""The HorizontalPodAutoscaler's documented algorithm, as far as it concerns CPU and external metrics.

https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details, and where that leaves something
open, pkg/controller/podautoscaler/replica_calculator.go of Kubernetes.
"""

import math
from dataclasses import dataclass

from .behavior import Behavior, Pace

# The defaults of kube-controller-manager.
SYNC_S = 15
TOLERANCE = 0.1
CPU_INITIALIZATION_S = 300
# How often metrics-server looks, by its own manifests (https://github.com/kubernetes-sigs/metrics-server); a figure is the mean
# between two looks.
METRICS_S = 15


@dataclass(slots=True)
class Pod:
    """When a pod was made, runs, and is ready."""

    made: float
    runs: float
    ready: float


@dataclass(frozen=True)
class Seen:
    """How many pods are counted, set aside as not ready yet, and without a figure."""

    counted: int
    not_ready: int
    missing: int


def look(pods: list[Pod], now: float, looked_at: float) -> Seen:
    """`looked_at`: when the figures of CPU are from."""
    counted = not_ready = missing = 0
    for pod in pods:
        if now < pod.runs:
            not_ready += 1
        elif pod.runs > looked_at - METRICS_S:
            missing += 1
        elif now < pod.made + CPU_INITIALIZATION_S and looked_at < pod.ready + METRICS_S:
            not_ready += 1
        else:
            counted += 1
    return Seen(counted, not_ready, missing)


def by_cpu(current: int, percent: float, seen: Seen, target: float) -> int:
    """`percent`: the mean use of the counted pods, in percent of their request."""
    if not seen.counted:
        return current
    ratio = int(percent) / target
    rebalance = seen.not_ready > 0 and ratio > 1
    if not rebalance and not seen.missing:
        return current if _is_close(ratio) else math.ceil(ratio * seen.counted)
    total, pods = percent * seen.counted, seen.counted
    if seen.missing and ratio != 1:
        # The docs say 100 % of the target; what Kubernetes does is 100 % of the request, or the target if that is more.
        total += seen.missing * (max(100, target) if ratio < 1 else 0)
        pods += seen.missing
    if rebalance:
        pods += seen.not_ready
    again = int(total / pods) / target
    if _is_close(again) or (ratio < 1 < again) or (again < 1 < ratio):
        return current
    wanted = math.ceil(again * pods)
    turns = (again < 1 and wanted > current) or (again > 1 and wanted < current)
    return current if turns else wanted


def by_external(current: int, value: float, per_pod: float) -> int:
    """`type: AverageValue`: one figure, shared by the pods."""
    return current if _is_close(value / (per_pod * current)) else math.ceil(value / per_pod)


def _is_close(ratio: float) -> bool:
    return 1 - TOLERANCE <= ratio <= 1 + TOLERANCE


class Autoscaler:
    """One HorizontalPodAutoscaler."""

    def __init__(self, least: int, most: int, target_percent: float, behavior: Behavior) -> None:
        self._least, self._most, self._target = least, most, target_percent
        self._pace = Pace(behavior)

    def sync(self, now: float, current: int, percent: float, seen: Seen, externals: list[tuple[float, float]]) -> int:
        """How many pods there are to be. `externals`: each metric with the most of it for each pod."""
        wanted = by_cpu(current, percent, seen, self._target)
        for value, per_pod in externals:
            wanted = max(wanted, by_external(current, value, per_pod))
        wanted = min(max(wanted, self._least), self._most)
        return self._pace.next(now, current, wanted)
