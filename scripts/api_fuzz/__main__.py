"""Runs schemathesis with all of its checks over the whole API, against a Tinko of its own.

usage: python -m api_fuzz TINKO_DEV SCHEMATHESIS --cases N
"""

import argparse
import json
import os
import subprocess
import sys
import urllib.request

from page_checks import stack

# Nobody is to be slowed down here: what is looked for is not a 429.
CLASSES = ("READ", "WRITE", "INGEST", "WEBHOOK", "AUTH", "PAYER")
SETTINGS = [f"TINKO__RATE_{name}=100000/s burst 100000" for name in CLASSES]
SETTINGS += ["TINKO__RATE_CALLER_PERCENT=100", "TINKO__RECON_WAIT_MS=1"]
# A stream does not end.
LEFT_OUT = ["/v1/stream"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tinko_dev")
    parser.add_argument("schemathesis")
    parser.add_argument("--cases", type=int, required=True)
    wanted = parser.parse_args()
    options = [f"--api-setting={setting}" for setting in SETTINGS]
    with stack.started(wanted.tinko_dev, *options) as running:
        with urllib.request.urlopen(f"{running.api}/openapi.json", timeout=30) as answer:
            paths = json.load(answer)["paths"]
        operations = sum(len(item) for item in paths.values())
        command = [wanted.schemathesis, "--config-file", "scripts/api_fuzz/schemathesis.toml", "run", f"{running.api}/openapi.json", "--checks", "all"]
        command += ["--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--warnings", "off"]
        command += ["--max-examples", str(-(-wanted.cases // operations)), "--request-timeout", "30"]
        command += ["--report", "junit", "--report-junit-path", ".cache/fuzz/junit.xml"]
        # Two threads that parse Python at once fail in CPython 3.11 (its issue 106905).
        command += ["--workers", "1"]
        for path in LEFT_OUT:
            command += ["--exclude-path", path]
        environment = {
            **os.environ,
            "FUZZ_API": running.api,
            "FUZZ_API_KEY": running.api_key,
            "SCHEMATHESIS_HOOKS": "api_fuzz.hooks",
        }
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
