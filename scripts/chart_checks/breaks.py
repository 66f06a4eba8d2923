"""Faults made on purpose: what each self-test does to a copy of the files, and whether the checks noticed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Break:
    """`old` in `file` becomes `new`, once; then `expected` must be part of a fault, of `chart` if charts are checked."""

    file: str
    old: str
    new: str
    expected: str
    chart: str = "api"

    def unnoticed(self, copy: Path, faults_of: Callable[[Path], Iterable[str]]) -> Iterable[str]:
        """Breaks the copy, and says so if the checks let it pass or there is nothing to break any more."""
        file = copy / self.file
        text = file.read_text()
        if self.old not in text:
            yield f"{self.file} no longer has {self.old!r}: adapt the self-test"
            return
        file.write_text(text.replace(self.old, self.new, 1))
        faults = list(faults_of(copy))
        if not any(self.expected in fault for fault in faults):
            yield f"{self.file} with {self.new!r} passed (faults: {faults})"
