"""The examples of https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details."""

import unittest

from ..behavior import KUBERNETES
from ..hpa import Autoscaler, Pod, Seen, by_cpu, by_external, look

OLD = Pod(-1e6, -1e6, -1e6)


class ByCpu(unittest.TestCase):
    def test_200m_where_100m_is_wanted_doubles(self) -> None:
        self.assertEqual(by_cpu(3, 200, Seen(3, 0, 0), 100), 6)

    def test_50m_where_100m_is_wanted_halves(self) -> None:
        self.assertEqual(by_cpu(4, 50, Seen(4, 0, 0), 100), 2)

    def test_within_a_tenth_nothing_happens(self) -> None:
        self.assertEqual(by_cpu(10, 110, Seen(10, 0, 0), 100), 10)
        self.assertEqual(by_cpu(10, 90, Seen(10, 0, 0), 100), 10)
        self.assertEqual(by_cpu(10, 111, Seen(10, 0, 0), 100), 12)

    def test_pods_that_are_not_ready_count_as_idle_when_scaling_up(self) -> None:
        self.assertEqual(by_cpu(4, 400, Seen(2, 2, 0), 100), 8)

    def test_which_may_take_away_the_reason(self) -> None:
        self.assertEqual(by_cpu(4, 200, Seen(2, 2, 0), 100), 4)

    def test_and_do_not_count_when_scaling_down(self) -> None:
        self.assertEqual(by_cpu(4, 50, Seen(2, 2, 0), 100), 1)

    def test_missing_figures_count_as_all_when_scaling_down(self) -> None:
        self.assertEqual(by_cpu(4, 20, Seen(2, 0, 2), 100), 3)

    def test_and_as_nothing_when_scaling_up(self) -> None:
        self.assertEqual(by_cpu(4, 300, Seen(2, 0, 2), 100), 6)

    def test_a_changed_direction_changes_nothing(self) -> None:
        self.assertEqual(by_cpu(4, 150, Seen(1, 0, 3), 100), 4)

    def test_without_any_figure_nothing_happens(self) -> None:
        self.assertEqual(by_cpu(4, 0, Seen(0, 4, 0), 100), 4)


class Looking(unittest.TestCase):
    def test_a_pod_that_does_not_run_is_not_ready(self) -> None:
        self.assertEqual(look([OLD, Pod(0, 10, 15)], 5, 0), Seen(1, 1, 0))

    def test_until_metrics_are_taken_twice_its_figure_is_missing(self) -> None:
        self.assertEqual(look([Pod(0, 10, 15)], 20, 15), Seen(0, 0, 1))

    def test_a_figure_from_before_it_was_ready_does_not_count(self) -> None:
        self.assertEqual(look([Pod(0, 10, 20)], 35, 30), Seen(0, 1, 0))
        self.assertEqual(look([Pod(0, 10, 20)], 40, 35), Seen(1, 0, 0))


class External(unittest.TestCase):
    def test_an_average_is_the_sum_over_what_each_pod_may_have(self) -> None:
        self.assertEqual(by_external(2, 3000, 500), 6)
        self.assertEqual(by_external(2, 0, 500), 0)
        self.assertEqual(by_external(6, 3200, 500), 6)

    def test_the_greatest_of_all_metrics_counts(self) -> None:
        hpa = Autoscaler(2, 10, 65, KUBERNETES)
        self.assertEqual(hpa.sync(0, 2, 65, Seen(2, 0, 0), [(2500, 500), (100, 500)]), 5)

    def test_never_beyond_the_least_and_the_most(self) -> None:
        self.assertEqual(Autoscaler(2, 10, 65, KUBERNETES).sync(0, 2, 0, Seen(2, 0, 0), []), 2)
        self.assertEqual(Autoscaler(2, 5, 65, KUBERNETES).sync(0, 3, 6500, Seen(3, 0, 0), []), 5)
