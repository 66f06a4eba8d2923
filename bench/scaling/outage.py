"""Charges while a PSP is left alone: put off, longer each time, and back when it is well (docs/decisions/0040)."""

from .charts import setting

# services/retry-worker/src/attempts/outcome.rs: a pause that doubles with each claim, up to ten minutes, spread by a quarter.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 2, 600
PAUSES, SPREAD = 8, 0.25
MOST_CLAIMS = 10


def waits(claims: int, breaker_s: float) -> float:
    """At least as long as the PSP's breaker still waits, up to eight times that."""
    growing = min(FIRST_PAUSE_S * 2 ** (claims - 1), LONGEST_PAUSE_S)
    return max(breaker_s, min(growing, PAUSES * breaker_s))


def with_put_off(due: list[float], down: range, step_s: int) -> tuple[list[float], list[float]]:
    """Charges for each step that are made, and those that are claimed and put off. Claims are taken to come when they are due."""
    pauses = [setting(f"TINKO__CIRCUIT_{name}_PAUSE_MS") / 1000 for name in ("FIRST", "LONGEST")]
    made, put_off = list(due), [0.0] * len(due)
    # For each number of claims so far: how many come due in a step.
    coming = [[0.0] * len(due) for _ in range(MOST_CLAIMS + 1)]
    # The breaker closes when it next looks after the outage.
    closes = down.stop + round(pauses[1]) // step_s
    for step in range(down.start, closes):
        coming[0][step] += due[step]
        made[step] = 0.0
        breaker_s = min(pauses[0] * 2 ** ((step - down.start) * step_s // 60), pauses[1])
        for claims in range(MOST_CLAIMS + 1):
            amount = coming[claims][step]
            if amount:
                put_off[step] += amount
                wait = waits(claims + 1, breaker_s)
                first, spread = round(wait / step_s), max(1, round(wait * SPREAD / step_s))
                then = coming[min(claims + 1, MOST_CLAIMS)]
                for later in range(step + first, min(step + first + spread, len(due))):
                    then[later] += amount / spread
    for step in range(closes, len(due)):
        made[step] += sum(waiting[step] for waiting in coming)
    return made, put_off
