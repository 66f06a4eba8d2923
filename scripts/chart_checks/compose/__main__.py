"""Checks docker-compose.yml, the Dockerfiles and their settings. Run through scripts/check-compose."""

import argparse
import sys
from pathlib import Path

from .findings import dockerfiles_in, faults_in
from .project import load
from .self_test import run_self_test

ROOT = Path(__file__).resolve().parents[3]


def finish(faults: list[str]) -> None:
    for fault in faults:
        print(f"compose: {fault}", file=sys.stderr)
    if faults:
        sys.exit(1)


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/check-compose", description=__doc__)
    parser.add_argument("--self-test", action="store_true", help="only break copies of the files and see it noticed")
    options = parser.parse_args()
    if not options.self_test:
        finish(faults_in(ROOT))
    broken, missed = run_self_test(ROOT)
    finish(missed)
    print(f"compose: {broken} deliberate faults, each noticed")
    if not options.self_test:
        print(f"compose: {len(load(ROOT).services)} services, {len(dockerfiles_in(ROOT))} Dockerfiles valid")


if __name__ == "__main__":
    main()
