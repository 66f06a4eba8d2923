"""Prometheus and Postgres of a run that goes on, by the addresses in its environment."""

import csv
import io
import json
import os
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from typing import Any


class Refused(Exception):
    """A query that does not read."""


def _get(path: str, **query: Any) -> list[dict[str, Any]]:
    address = f"{os.environ['PROMETHEUS_URL']}/api/v1/{path}?{urllib.parse.urlencode(query)}"
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return json.load(answer)["data"]["result"]
    except urllib.error.HTTPError as error:
        raise Refused(json.load(error)["error"]) from error


def now(expression: str) -> list[dict[str, Any]]:
    """The series that an expression selects now."""
    return _get("query", query=expression)


def over(expression: str, begin: float, end: float, step: int) -> list[dict[str, Any]]:
    """The series that an expression selects in a span of time; times in seconds."""
    return _get("query_range", query=expression, start=begin, end=end, step=step)


def rows(statement: str) -> list[dict[str, str]]:
    """What a statement selects, in a transaction that may not change anything."""
    command = ["psql", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--csv", "--dbname", os.environ["DATABASE_URL"]]
    script = f"SET default_transaction_read_only = on; {statement};"
    done = subprocess.run([*command, "--command", script], capture_output=True, text=True)
    if done.returncode:
        raise Refused(done.stderr.strip())
    return list(csv.DictReader(io.StringIO(done.stdout)))
