"""What docs/scaling.md promises of the charts' defaults, and whether a worse setup would be noticed."""

from dataclasses import replace

from .alternatives import Alternative
from .busy import busy
from .charts import Setup, behavior
from .day import Day
from .simulate import Outcome, simulate

# Seconds. The second is the objective of docs/slo.md: what is due is less than two minutes late.
MOST_AGE = {"plan": 120, "charge": 120, "hand_over": 300}
MOST_REFUSED = {"1,000": 0.0, "100,000": 0.0, "10 million": 0.05}
HARDEST = "10 million"


def broken(load: str, outcome: Outcome) -> list[str]:
    faults = [
        f"{load} a day: {work} waits {outcome.worst_age[work]:.0f} s, more than {most}"
        for work, most in MOST_AGE.items()
        if outcome.worst_age[work] > most
    ]
    if outcome.refused > MOST_REFUSED[load]:
        faults.append(f"{load} a day: {outcome.refused:.1%} are refused, more than {MOST_REFUSED[load]:.0%}")
    if outcome.left_over >= 1:
        faults.append(f"{load} a day: {outcome.left_over:.0f} are left at midnight")
    return faults


def unseen(of: Alternative) -> list[str]:
    return [
        f"{one.service}: a pod that does all it can ({one.work}) uses {one.percent:.0f} % of its request, "
        f"which the target of {one.target} % does not see"
        for one in busy(of.setup, of.rates)
        if not one.is_seen
    ]


def worse(setup: Setup) -> dict[str, Setup]:
    """Setups that have to break a promise."""
    ours = behavior()
    slow_up = replace(ours.up, window_s=600)
    no_up = replace(ours.up, select="Disabled")
    return {
        "at most 1 pod": setup.each(least=1, most=1),
        "no scaling up": setup.each(behavior=replace(ours, up=no_up)),
        "ten minutes until scaling up": setup.each(behavior=replace(ours, up=slow_up)),
        "requests of a core": setup.each(request=1.0),
    }


def self_test(day: Day, ours: Alternative, room: int) -> list[str]:
    return [
        f"self-test: with {name} no promise is broken"
        for name, setup in worse(ours.setup).items()
        if not broken(HARDEST, simulate(day, setup, ours.rates, room))
    ]
