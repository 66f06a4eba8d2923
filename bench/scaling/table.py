"""The tables of docs/scaling.md, as Markdown."""

from collections.abc import Sequence

from . import busy, sizing
from .alternatives import Alternative
from .day import Day
from .simulate import Outcome

NAMES = {"api": "reports", "plan": "planning", "charge": "charges", "hand_over": "mails"}
LOADS = {"1,000": 1e3, "100,000": 1e5, "10 million": 1e7}
HEAD = (
    "",
    "refused %",
    "worst age s: plan",
    "charge",
    "mail",
    "p99 wait s: plan",
    "charge",
    "mail",
    "most pods: api, worker, notifier",
    "replica-hours",
    "core-hours",
    "changes",
)


def markdown(head: Sequence[str], rows: list[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def row(name: str, outcome: Outcome) -> list[str]:
    waits = [f"{wait[work]:.0f}" for wait in (outcome.worst_age, outcome.p99_wait) for work in ("plan", "charge", "hand_over")]
    return [
        name,
        f"{outcome.refused * 100:.1f}",
        *waits,
        ", ".join(str(most) for most in outcome.most_replicas.values()),
        f"{sum(outcome.replica_hours.values()):.0f}",
        f"{sum(outcome.core_hours.values()):.1f}",
        str(outcome.changes),
    ]


def compared(outcomes: dict[str, Outcome]) -> str:
    return markdown(HEAD, [row(name, outcome) for name, outcome in outcomes.items()])


def full_pods(of: Alternative) -> str:
    head = ("all that one pod can do", "a second", "CPU, of its request", "target", "seen by the autoscaler")
    rows = [
        (f"{one.service}: {NAMES[one.work]}", f"{one.per_s:,.0f}", f"{one.percent:.0f} %", f"{one.target} %",
         "yes" if one.is_seen else "**no**")
        for one in busy.busy(of.setup, of.rates)
    ]
    return markdown(head, rows)


def sizes(days: dict[str, Day], of: Alternative) -> str:
    sized = [sizing.size(failures, days[name], of) for name, failures in LOADS.items()]
    head = ("failures a day", *LOADS)
    return markdown(head, [(title, *cells) for title, *cells in zip(sizing.TITLES, *sized, strict=True)])
