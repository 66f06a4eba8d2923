"""Run through scripts/check-scaling."""

import sys
import unittest
from pathlib import Path

from . import alternatives, charts, document, promises, table
from .day import day
from .simulate import Outcome, simulate


def main() -> None:
    write = sys.argv[1:] == ["--write"]
    here = Path(__file__).parent
    tests = unittest.defaultTestLoader.discover(str(here / "tests"), top_level_dir=str(here.parent))
    if not unittest.TextTestRunner(verbosity=0).run(tests).wasSuccessful():
        sys.exit("scaling: the model is not what Kubernetes documents")
    days = {load: day(failures) for load, failures in table.LOADS.items()}
    room, ours = charts.setting(charts.ROOM), alternatives.defaults()

    def played(load: str, one: alternatives.Alternative) -> Outcome:
        return simulate(days[load], one.setup, one.rates, room)

    by_load = {load: played(load, ours) for load in table.LOADS}

    def beside_ours(load: str, those: list[alternatives.Alternative]) -> str:
        return table.compared({ours.name: by_load[load], **{one.name: played(load, one) for one in those}})

    tables = {
        "loads": table.compared({f"{load} a day": outcome for load, outcome in by_load.items()}),
        "alternatives at 10 million": beside_ours("10 million", alternatives.large(ours)),
        "alternatives at 100,000": beside_ours("100,000", alternatives.small(ours)),
        "full pods": table.full_pods(ours),
        "sizes": table.sizes(days, ours),
    }
    for name, text in tables.items():
        print(f"\n{name}\n{text}")
    if write:
        from . import plot

        document.write(tables)
        plot.draw(by_load, days, document.PICTURES)
    faults = promises.unseen(ours) + promises.self_test(days[promises.HARDEST], ours, room)
    for load, outcome in by_load.items():
        faults += promises.broken(load, outcome)
    if not document.is_current(tables):
        faults.append("docs/scaling.md is not what the simulation prints: run scripts/check-scaling --write")
    if faults:
        sys.exit("\n".join(["", *(f"scaling: {fault}" for fault in faults)]))
    print(f"\nscaling: {tests.countTestCases()} tests of the model, {len(days)} days, all promises kept")


if __name__ == "__main__":
    main()
