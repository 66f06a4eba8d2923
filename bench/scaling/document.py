"""docs/scaling.md: prose by hand, with tables between markers that the simulation writes."""

import re
from pathlib import Path

from .charts import ROOT

FILE = ROOT / "docs/scaling.md"
PICTURES = ROOT / "docs/scaling"


def with_tables(text: str, tables: dict[str, str]) -> str:
    for name, table in tables.items():
        begins, ends = f"<!-- simulated: {name} -->", "<!-- end -->"
        between = re.compile(re.escape(begins) + r"\n.*?" + re.escape(ends), re.DOTALL)
        if len(between.findall(text)) != 1:
            raise SystemExit(f"{FILE.name} has to have the marker {begins} once, and {ends} after it")
        text = between.sub(lambda _, table=table, begins=begins: f"{begins}\n{table}\n{ends}", text)
    return text


def is_current(tables: dict[str, str], file: Path = FILE) -> bool:
    text = file.read_text()
    return text == with_tables(text, tables)


def write(tables: dict[str, str], file: Path = FILE) -> None:
    file.write_text(with_tables(file.read_text(), tables))
