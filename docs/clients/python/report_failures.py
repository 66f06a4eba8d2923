"""A partner's way of reporting failed payments, with nothing but Python's own library.

A report is sent under an Idempotency-Key of its own, so that it may be sent again after any trouble: it has one effect.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request

TRIES = 5


class Refused(Exception):
    """Tinko will not take it, however often it is sent. The problem says why (RFC 9457)."""


class Tinko:
    def __init__(self, api, key):
        self.api = api
        self.key = key

    def call(self, method, path, body=None, idempotency_key=None):
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        data = None if body is None else json.dumps(body).encode()
        for tried in range(TRIES):
            request = urllib.request.Request(f"{self.api}{path}", data=data, headers=headers, method=method)
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                problem = json.load(error)
                if error.code not in (429, 503) and problem["type"].rsplit("/", 1)[-1] != "idempotency-key-in-flight":
                    raise Refused(f"{problem['title']}: {problem['detail']}") from error
                wait = int(error.headers.get("Retry-After", "1"))
            except OSError:
                wait = 2**tried
            time.sleep(wait)
        raise TimeoutError(f"{method} {path}: gave up after {TRIES} tries")

    def report(self, failure):
        """Reports a failed payment. The same one again changes nothing."""
        key = f"{failure['transaction_ref']}-{failure['occurred_at']}"
        return self.call("POST", "/v1/events/payment_failed", failure, key)


def main():
    tinko = Tinko(os.environ["TINKO_API"], os.environ["TINKO_API_KEY"])
    failure = {
        "transaction_ref": f"py-{time.time_ns()}",
        "amount": 129_950,
        "currency": "INR",
        "gateway": "razorpay",
        "failure_reason": "RZP001_INSUFFICIENT_FUNDS",
        "occurred_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "customer": {"email": "payer@example.com", "phone": "+919812341234"},
    }
    first, again = tinko.report(failure), tinko.report(failure)
    if first != again:
        sys.exit(f"two effects of one report: {first}, {again}")
    recovery = tinko.call("GET", f"/v1/recoveries/{first['recovery_id']}")
    if (recovery["state"], recovery["amount"]) != ("open", failure["amount"]):
        sys.exit(f"an unexpected recovery: {recovery}")
    try:
        tinko.report({**failure, "amount": -1, "occurred_at": "yesterday"})
        sys.exit("a report with faults was taken")
    except Refused as refused:
        print(f"{recovery['id']} is open; a report with faults was refused: {refused}")


if __name__ == "__main__":
    main()
