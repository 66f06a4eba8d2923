"""The table of values in each chart's README, made from values.schema.json and values.yaml."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

BEGIN = "<!-- values: written by scripts/check-charts --update -->"
END = "<!-- /values -->"

Schema = dict[str, Any]


def _resolve(schema: Schema, definitions: dict[str, Schema]) -> Schema:
    """A reference with whatever stands beside it: its own description wins."""
    if "$ref" not in schema:
        return schema
    target = _resolve(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions)
    merged = target | {key: value for key, value in schema.items() if key != "$ref"}
    if "properties" in target:
        merged["properties"] = target["properties"] | schema.get("properties", {})
    return merged


def _rows(path: str, schema: Schema, default: Any, definitions: dict[str, Schema]) -> Iterator[str]:
    schema = _resolve(schema, definitions)
    if "properties" in schema:
        for name, inner in schema["properties"].items():
            yield from _rows(f"{path}.{name}" if path else name, inner, default[name], definitions)
    else:
        text = json.dumps(default, ensure_ascii=False).replace("|", "\\|")
        yield f"| `{path}` | `{text}` | {schema['description']} |"


def table(chart_dir: Path) -> str:
    """Raises `KeyError` for a value without description or without default: both are wanted for each."""
    schema = json.loads((chart_dir / "values.schema.json").read_text())
    defaults = yaml.safe_load((chart_dir / "values.yaml").read_text())
    # What Helm itself puts into every chart's values is no choice of the operator's.
    own = {name: inner for name, inner in schema["properties"].items() if name not in ("global", "tinko-common")}
    rows = _rows("", {"properties": own}, defaults, schema["$defs"])
    return "\n".join(["| value | default | meaning |", "| --- | --- | --- |", *rows])


def with_table(text: str, new_table: str) -> str:
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    return f"{before}{BEGIN}\n{new_table}\n{END}{after}"
