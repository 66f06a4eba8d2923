"""Queues, the day, and what is read from the charts."""

import unittest

from .. import charts, day, outage
from ..behavior import Policy
from ..rates import Rate, read
from ..service import Queue


class Queues(unittest.TestCase):
    def test_who_came_first_is_served_first(self) -> None:
        queue = Queue(Rate(10, 0))
        queue.add(0, 4)
        queue.add(2, 4)
        self.assertEqual(queue.age(3), 3)
        queue.take(3, 5)
        self.assertEqual((queue.age(3), queue.length), (1, 3))
        self.assertEqual(queue.waited, {3: 4, 1: 1})

    def test_who_came_last_is_refused_first(self) -> None:
        queue = Queue(Rate(10, 0))
        queue.add(0, 4)
        queue.add(2, 4)
        queue.drop_newest(5)
        self.assertEqual((queue.age(3), queue.length), (3, 3))


class TheDay(unittest.TestCase):
    def test_has_as_many_failures_as_are_asked_for_beside_the_burst(self) -> None:
        burst = day.BURST_TIMES * len(day.BURST) / day.DAY
        self.assertAlmostEqual(sum(day.day(1000).reports), 1000 * (1 + burst))

    def test_charges_each_once_and_none_while_the_psp_is_down(self) -> None:
        played = day.day(100_000)
        self.assertAlmostEqual(sum(played.charges), sum(played.reports) * day.CHARGED_AGAIN, places=3)
        self.assertEqual(sum(played.charges[step] for step in day.OUTAGE), 0)

    def test_puts_off_longer_each_time_but_not_beyond_eight_pauses(self) -> None:
        self.assertEqual([outage.waits(claims, 5) for claims in (1, 3, 5, 9)], [5, 8, 32, 40])
        self.assertEqual(outage.waits(20, 60), 480)


class Charts(unittest.TestCase):
    def test_the_behavior_is_read_from_the_template(self) -> None:
        ours = charts.behavior()
        self.assertEqual((ours.up.select, ours.down.select, ours.down.window_s), ("Max", "Min", 300))
        self.assertIn(Policy("Pods", 2, 15), ours.up.policies)

    def test_quantities_are_cores(self) -> None:
        self.assertEqual([charts.cores(text) for text in ("250m", "2", 1)], [0.25, 2, 1])

    def test_places_bound_what_waits_for_outsiders(self) -> None:
        few, many = (read({"charge": places, "hand_over": places}) for places in (1, 10_000))
        self.assertLess(few.charge.per_s, 10)
        self.assertLess(few.hand_over.per_s, few.plan.per_s)
        self.assertGreater(many.charge.per_s, 1000 * few.charge.per_s)
