"""docker-compose.yml as Docker Compose itself understands it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TOOLS = Path(sys.executable).parent

ComposeService = dict[str, Any]


class ComposeRefuses(Exception):
    """Docker Compose does not take the file; the text is its own."""


@dataclass(frozen=True)
class Project:
    root: Path
    services: dict[str, ComposeService]
    volumes: set[str]

    def environment_of(self, service: str) -> dict[str, str]:
        return {name: value or "" for name, value in self.services[service].get("environment", {}).items()}


def load(root: Path) -> Project:
    """Merged and interpolated, with an environment of its own so that the machine's has no say."""
    done = subprocess.run(
        [TOOLS / "docker-compose", "--project-directory", root, "-f", root / "docker-compose.yml", "config", "--format", "json"],
        env={"PATH": os.environ["PATH"], "HOME": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    # A warning (a variable without default, an obsolete field) is a fault too.
    if done.returncode != 0 or done.stderr.strip():
        raise ComposeRefuses(done.stderr.strip())
    config = json.loads(done.stdout)
    # Compose leaves out what nothing uses; whether there is such a thing is a question of ours.
    declared = yaml.safe_load((root / "docker-compose.yml").read_text()).get("volumes", {})
    return Project(root, config["services"], set(declared))
