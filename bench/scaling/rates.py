"""Reads rates.toml: what one replica does."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

WORKS = ("api", "plan", "charge", "put_off", "hand_over")
FILE = Path(__file__).with_name("rates.toml")
# Events a second of a replica that nothing bounds but its processor.
UNBOUNDED = 1e6


@dataclass(frozen=True)
class Rate:
    """One kind of work: events a second of one replica at best, and seconds of processor time an event."""

    per_s: float
    cpu_s: float


@dataclass(frozen=True)
class Rates:
    api: Rate
    plan: Rate
    charge: Rate
    put_off: Rate
    hand_over: Rate


def read(places: dict[str, int], file: Path = FILE) -> Rates:
    """`places`: how many charges and mails one process has under way at most, by the settings. Whoever waits for an outsider does
    no more than its places over the time of that wait (Little's law)."""
    given = tomllib.loads(file.read_text())
    outsiders = given["outsiders"]
    waits = {"charge": outsiders["psp_ms"] / 1000, "hand_over": outsiders["mail_ms"] / 1000}
    rates = {}
    for name in WORKS:
        rate = given[name]
        per_s = float(rate.get("per_s_alone", UNBOUNDED))
        if name in waits:
            per_s = min(per_s, places[name] / waits[name])
        rates[name] = Rate(per_s, rate["cpu_ms"] / 1000)
    return Rates(**rates)


@dataclass(frozen=True)
class Servers:
    """What a failed payment costs Postgres and Redis."""

    postgres_cpu_s: float
    row_bytes: float
    log_bytes: float
    redis_bytes: float


def servers(file: Path = FILE) -> Servers:
    given = tomllib.loads(file.read_text())
    postgres, redis = given["postgres"], given["redis"]
    return Servers(
        postgres_cpu_s=postgres["cpu_ms"] / 1000,
        row_bytes=postgres["bytes"],
        log_bytes=postgres["log_bytes"],
        redis_bytes=redis["failure_bytes"] + redis["mails"] * redis["mail_bytes"] + redis["events"] * redis["event_bytes"],
    )
