"""See scripts/check-page."""

import argparse
import contextlib

from .browser import desk, phone
from .findings import Findings
from .reference import look_up
from .self_test import self_test
from .stack import running, started
from .walk import pay, without_paying


def main():
    parser = argparse.ArgumentParser(prog="scripts/check-page")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--start", metavar="PROGRAM", help="tinko-dev, to start a stack with")
    which.add_argument("--state", metavar="FILE", help="tells of a stack that runs")
    which.add_argument("--self-test", action="store_true")
    asked = parser.parse_args()
    print(f"page: {self_test()} pages made for it judged as they must be", flush=True)
    if asked.self_test:
        return
    findings = Findings()
    with started(asked.start) if asked.start else contextlib.nullcontext(running(asked.state)) as stack:
        for javascript in (True, False):
            with phone(javascript) as browser:
                pay(findings, stack, browser)
                without_paying(findings, stack, browser)
        with desk() as browser:
            look_up(findings, stack, browser)
    findings.close()


main()
