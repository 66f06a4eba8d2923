"""Draws the samples of a soak over time. Run through scripts/plot-soak: CSV PNG."""

import csv
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

# What is drawn together: title, unit, columns, and what a column's number is divided by.
PANELS = (
    ("Resident memory", "MiB", ("api_kib", "retry_worker_kib", "notifier_kib"), 1024),
    ("Webhook to sent mail", "ms", ("p50_ms", "p99_ms", "p999_ms"), 1),
    ("Waiting", "rows, entries", ("unsent", "outbox_rows", "stream_entries"), 1),
    ("Dead rows of all tables", "rows", ("dead_rows",), 1),
)


def draw(samples: list[dict[str, str]], picture: Path) -> None:
    figure, axes = pyplot.subplots(2, 2, figsize=(12, 7), sharex=True, layout="constrained")
    minutes = [int(sample["seconds"]) / 60 for sample in samples]
    for axis, (title, unit, columns, by) in zip(axes.flat, PANELS, strict=True):
        for column in columns:
            label = column.removesuffix("_kib").removesuffix("_ms").replace("_", " ")
            axis.plot(minutes, [float(sample[column]) / by for sample in samples], label=label)
        axis.set(title=title, ylabel=unit, ylim=(0, None))
        axis.grid(alpha=0.3)
        axis.legend()
    for axis in axes[-1]:
        axis.set_xlabel("minutes")
    figure.savefig(picture, dpi=110)


def main() -> None:
    samples, picture = Path(sys.argv[1]), Path(sys.argv[2])
    with samples.open(newline="") as file:
        draw(list(csv.DictReader(file)), picture)


if __name__ == "__main__":
    main()
