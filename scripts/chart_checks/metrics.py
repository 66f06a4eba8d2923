"""Which metrics each service exports and with which labels, read from the Rust sources that record them."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from .settings import SERVICES

# What Prometheus and the Prometheus Operator put on every series of a target.
TARGET_LABELS = frozenset({"job", "instance", "namespace", "pod", "container", "endpoint"})
# What Prometheus itself knows of each target.
OF_TARGETS = ("up",)

_MACRO = re.compile(r"\b(counter|gauge|histogram)!\s*\(")
_DESCRIBED = re.compile(r"\bdescribe_(counter|gauge|histogram)!\s*\(")
_CONST = re.compile(r'const (\w+): &str\s*=\s*"(\w+)";')
_LABEL = re.compile(r'"(\w+)"\s*=>')
_PAIR = re.compile(r'(?<!!)\(\s*"(\w+)",')


@dataclass(frozen=True)
class Metric:
    """`source` is the crate or service whose code records it."""

    name: str
    kind: str
    labels: frozenset[str]
    source: str

    @property
    def series(self) -> dict[str, frozenset[str]]:
        """What stands on the page of metrics: a histogram is three series."""
        if self.kind != "histogram":
            return {self.name: self.labels}
        return {
            f"{self.name}_bucket": self.labels | {"le"},
            f"{self.name}_sum": self.labels,
            f"{self.name}_count": self.labels,
        }


def _arguments(text: str, start: int) -> str:
    """What stands between the bracket that was opened before `start` and its end."""
    depth = 1
    for end in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        if depth == 0:
            return text[start:end]
    return text[start:]


def metrics_in(rust: str, source: str) -> Iterator[Metric]:
    """The metrics that a file's macros record. A name that is a constant is looked up in the file; a name that is a
    variable stands for every constant that the file describes as one of that kind."""
    rust = rust.split("#[cfg(test)]\nmod ")[0]
    constants = dict(_CONST.findall(rust))
    described = [(it[1], _arguments(rust, it.end()).split(",")[0].strip()) for it in _DESCRIBED.finditer(rust)]
    for macro in _MACRO.finditer(rust):
        arguments = _arguments(rust, macro.end())
        first = arguments.split(",")[0].strip()
        labels = frozenset(_LABEL.findall(arguments) or (_PAIR.findall(rust) if "&labels" in arguments else ()))
        if first.startswith('"'):
            names = [first.strip('"')]
        elif first in constants:
            names = [constants[first]]
        else:
            names = [constants[name] for kind, name in described if kind == macro[1] and name in constants]
        for name in names:
            yield Metric(name, macro[1], labels, source)


def _dependencies(manifest: Path) -> set[str]:
    return set(tomllib.loads(manifest.read_text()).get("dependencies", {}))


def _sources_of(root: Path, service: str) -> dict[str, Path]:
    """The folder of the service and of every crate of ours that it is linked with."""
    sources, waiting = {service: root / "services" / service}, [root / "services" / service]
    while waiting:
        for name in _dependencies(waiting.pop() / "Cargo.toml"):
            folder = root / "crates" / name
            if name not in sources and folder.is_dir():
                sources[name] = folder
                waiting.append(folder)
    return sources


@lru_cache(maxsize=None)
def metrics_of(root: Path, service: str) -> dict[str, Metric]:
    """By name; what is recorded in several places has the labels of all of them."""
    found: dict[str, Metric] = {}
    for source, folder in sorted(_sources_of(root, service).items()):
        for file in sorted((folder / "src").rglob("*.rs")):
            for metric in metrics_in(file.read_text(), source):
                known = found.get(metric.name, metric)
                found[metric.name] = Metric(metric.name, metric.kind, metric.labels | known.labels, known.source)
    return found


@lru_cache(maxsize=None)
def series_of(root: Path, services: tuple[str, ...] = tuple(SERVICES)) -> dict[str, frozenset[str]]:
    """The series that any of these services exports, each with its own labels."""
    series = dict.fromkeys(OF_TARGETS, frozenset())
    for service in services:
        for metric in metrics_of(root, service).values():
            for name, labels in metric.series.items():
                series[name] = series.get(name, frozenset()) | labels
    return series
