"""What was checked, and what came of it."""

import sys


class Findings:
    """Counts checks, and says at once which one failed."""

    def __init__(self):
        self.checks = 0
        self.faults = []
        self.where = ""

    def at(self, where):
        """Names the place that the next checks are about."""
        self.where = where

    def check(self, is_right, promise, seen=""):
        """Notes one promise; answers whether it is kept."""
        self.checks += 1
        if not is_right:
            fault = f"{self.where}: not so: {promise}" + (f" (seen: {seen})" if seen else "")
            self.faults.append(fault)
            print(fault, file=sys.stderr)
        return is_right

    def close(self):
        """Prints the closing line; ends the program with an error if there were faults or nothing was checked."""
        if self.faults or not self.checks:
            for fault in self.faults:
                print(f"page: {fault}", file=sys.stderr)
            sys.exit(f"page: {len(self.faults)} of {self.checks} checks failed")
        print(f"page: {self.checks} checks passed")
