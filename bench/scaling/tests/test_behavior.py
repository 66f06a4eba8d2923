"""The examples of https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#configurable-scaling-behavior."""

import unittest

from .. import charts
from ..behavior import KUBERNETES, Behavior, Pace, Policy, Rules, behavior_of

SYNC_S = 15


def _down(select: str, *policies: Policy, window_s: float = 0) -> Behavior:
    return Behavior(KUBERNETES.up, Rules(window_s, select, policies))


def _steps(behavior: Behavior, current: int, wanted: int, syncs: int, every_s: float = SYNC_S) -> list[int]:
    pace, found = Pace(behavior), []
    for sync in range(syncs):
        current = pace.next(sync * every_s, current, wanted)
        found.append(current)
    return found


class Policies(unittest.TestCase):
    def test_80_replicas_go_by_a_tenth_rounded_up_until_four_are_more(self) -> None:
        both = _down("Max", Policy("Pods", 4, 60), Policy("Percent", 10, 60))
        self.assertEqual(_steps(both, 80, 10, 2, every_s=60), [72, 64])
        self.assertEqual(_steps(both, 39, 10, 2, every_s=60), [35, 31])

    def test_a_period_is_shared_by_the_syncs_in_it(self) -> None:
        tenth = _down("Max", Policy("Percent", 10, 60))
        self.assertEqual(_steps(tenth, 80, 10, 6), [72, 72, 72, 72, 64, 64])

    def test_min_takes_the_policy_that_changes_least(self) -> None:
        least = _down("Min", Policy("Percent", 10, 60), Policy("Pods", 5, 60))
        self.assertEqual(_steps(least, 100, 10, 2, every_s=60), [95, 90])

    def test_disabled_changes_nothing(self) -> None:
        self.assertEqual(_steps(_down("Disabled", Policy("Percent", 100, 15)), 10, 1, 3), [10, 10, 10])

    def test_kubernetes_own_behavior_doubles_or_adds_four_each_fifteen_seconds(self) -> None:
        self.assertEqual(_steps(KUBERNETES, 2, 100, 5), [6, 12, 24, 48, 96])

    def test_ours_doubles_or_adds_two(self) -> None:
        self.assertEqual(_steps(charts.behavior(), 1, 100, 5), [3, 6, 12, 24, 48])


class Stabilization(unittest.TestCase):
    def test_scaling_down_takes_the_highest_of_the_window(self) -> None:
        pace = Pace(_down("Max", Policy("Percent", 100, 15), window_s=300))
        found = [pace.next(at, 10, wanted) for at, wanted in ((0, 10), (100, 6), (299, 2), (300, 2), (400, 2))]
        self.assertEqual(found, [10, 10, 10, 6, 2])

    def test_scaling_up_takes_the_lowest_of_its_window(self) -> None:
        behavior = Behavior(Rules(60, "Max", (Policy("Percent", 1000, 15),)), KUBERNETES.down)
        pace = Pace(behavior)
        self.assertEqual([pace.next(at, 2, wanted) for at, wanted in ((0, 3), (30, 9), (75, 9))], [2 + 1, 3, 9])

    def test_ours_keeps_pods_for_five_minutes_and_then_goes_slowly(self) -> None:
        pace, current = Pace(charts.behavior()), 12
        pace.next(0, current, 12)
        found = []
        for at in range(15, 600, SYNC_S):
            current = pace.next(at, current, 2)
            found.append(current)
        self.assertEqual(found[: 300 // SYNC_S - 1], [12] * 19)
        self.assertEqual(found[19:28], [11] * 4 + [10] * 4 + [9])


class Reading(unittest.TestCase):
    def test_what_is_left_out_is_as_kubernetes_has_it(self) -> None:
        self.assertEqual(behavior_of({}), KUBERNETES)
        one_minute = behavior_of({"scaleDown": {"stabilizationWindowSeconds": 60}})
        self.assertEqual(one_minute, Behavior(KUBERNETES.up, Rules(60, "Max", KUBERNETES.down.policies)))
