"""What must hold for the charts' files, whatever the values."""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import helm_python

from .readme import BEGIN, END, table, with_table
from .render import least_values, render
from .settings import SERVICES

LIBRARY = "tinko-common"


def shares_the_library(chart_dir: Path) -> Iterator[str]:
    link = chart_dir / "charts" / LIBRARY
    if not link.is_symlink() or os.readlink(link) != f"../../{LIBRARY}":
        yield f"{link} must be a symbolic link to ../../{LIBRARY}"
        return
    for dependency in helm_python.dependency_list(chart_dir):
        if dependency["status"] not in ("ok", "unpacked"):
            yield f"Helm finds the dependency {dependency['name']} {dependency['status']}"


def installs_alone(chart_dir: Path) -> Iterator[str]:
    """Its archive, away from the repository, renders as its folder does."""
    values = least_values(chart_dir)
    with tempfile.TemporaryDirectory() as folder:
        try:
            archive = Path(helm_python.package(chart_dir, destination=folder))
        except helm_python.HelmError as error:
            yield f"Helm does not package it: {error}"
            return
        packed = render(archive, chart_dir.name, "packed", "tinko", values)
        unpacked = render(chart_dir, chart_dir.name, "unpacked", "tinko", values)
        if packed.documents != unpacked.documents:
            yield "the packaged chart renders otherwise than the folder"


def documents_every_value(chart_dir: Path) -> Iterator[str]:
    text = (chart_dir / "README.md").read_text()
    if BEGIN not in text or END not in text:
        yield "README.md has no place for the table of values"
    elif with_table(text, table(chart_dir)) != text:
        yield "README.md's table of values is not up to date: run scripts/check-charts --update"


CHART_FILE_RULES = (shares_the_library, installs_alone, documents_every_value)


def schemas_agree(helm: Path) -> Iterator[str]:
    """Helm can't share a schema between charts, so each holds a copy: copies that drifted apart are a fault."""
    seen: dict[str, tuple[str, object]] = {}
    for chart in SERVICES:
        definitions = json.loads((helm / chart / "values.schema.json").read_text())["$defs"]
        for name, definition in definitions.items():
            first_chart, first = seen.setdefault(name, (chart, definition))
            if first != definition:
                yield f"$defs/{name} of {chart} is not that of {first_chart}"
