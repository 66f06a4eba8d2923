"""Draws what a day does to the charts' defaults: load, pods, the age of what waits, and what is paid for."""

from pathlib import Path

import matplotlib

matplotlib.use("agg")
from matplotlib import pyplot  # noqa: E402: the backend is chosen first
from matplotlib.axes import Axes  # noqa: E402

from .day import BURST, DAY, HELD_BACK, HOUR, OUTAGE, STEP_S, Day  # noqa: E402
from .simulate import Outcome  # noqa: E402

HOURS = [step / HOUR for step in range(DAY)]
NAMES = {"plan": "failures to plan", "charge": "charges that are due", "hand_over": "mails to hand over"}


def draw(outcomes: dict[str, Outcome], days: dict[str, Day], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for load, outcome in outcomes.items():
        _day(load, outcome, days[load], folder / f"{load.replace(',', '').replace(' ', '-')}.png")


def _day(load: str, outcome: Outcome, day: Day, picture: Path) -> None:
    figure, axes = pyplot.subplots(4, 1, figsize=(11, 11), sharex=True, layout="constrained")
    figure.suptitle(f"{load} failures a day, with the charts' defaults", fontsize=13)
    _load(axes[0], day)
    for service, pods in outcome.replicas.items():
        axes[1].step(HOURS, pods, where="post", label=service, linewidth=1.4)
    axes[1].set(title="replicas", ylim=(0, None))
    for work, name in NAMES.items():
        axes[2].plot(HOURS, outcome.ages[work], label=f"{name}: {outcome.worst_age[work]:.0f} s at worst", linewidth=1.4)
    axes[2].set(title="age of the oldest that waits (seconds)", ylim=(0, max(10, *axes[2].get_ylim())))
    axes[3].fill_between(HOURS, outcome.requested, step="post", alpha=0.5)
    total = sum(outcome.core_hours.values())
    axes[3].set(title=f"cost: cores requested by all pods, {total:.1f} core-hours in the day", ylim=(0, None))
    axes[3].set_xlabel("hour of the day")
    for axis in axes:
        axis.axvspan(OUTAGE.start / HOUR, OUTAGE.stop / HOUR, color="tab:red", alpha=0.12, linewidth=0)
        axis.axvspan(BURST.start / HOUR - 0.02, BURST.stop / HOUR + 0.02, color="tab:orange", alpha=0.35, linewidth=0)
        axis.axvspan(HELD_BACK.start / HOUR, HELD_BACK.stop / HOUR, color="tab:purple", alpha=0.15, linewidth=0)
        axis.grid(alpha=0.3)
        axis.set(xlim=(0, 24), xticks=range(0, 25, 2))
    for axis in axes[:3]:
        axis.legend(loc="upper left", fontsize=9)
    figure.savefig(picture, dpi=85, metadata={"Software": None})
    pyplot.close(figure)


def _load(axis: Axes, day: Day) -> None:
    for amounts, name in ((day.reports, "reports to the api"), (day.charges, "charges due"), (day.put_off, "charges put off")):
        axis.plot(HOURS, [amount / STEP_S or float("nan") for amount in amounts], label=name, linewidth=1.2)
    axis.set(title="load (a second), with the burst (orange), the PSP's outage (red), and what it kept (purple)", yscale="log")
