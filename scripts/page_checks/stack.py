"""A running Tinko, and what a merchant and a provider do with it."""

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

# What a starting stack prints that is wanted here: its names stand in one column, the values in the next.
NAMES, VALUES = slice(2, 20), slice(21, None)
WANTED = {"API": "api", "API key": "api_key", "sandbox": "sandbox"}
STRIPE_KEY = "sk_test_demo"
# Settings of the caller's own that would make the started stack use another one's data.
NOT_HANDED_ON = ["DATABASE_URL", "REDIS_URL", "ANALYTICS_SINK", "ANALYTICS_SINK_URL", "OTEL_EXPORTER_OTLP_ENDPOINT"]
SECONDS = 30


@dataclass
class Stack:
    api: str
    sandbox: str
    api_key: str
    stripe_key: str = STRIPE_KEY

    def fail_payment(self, reference, email):
        """Plays a merchant's payment that an expired card was declined for."""
        body = {
            "key": self.stripe_key,
            "amount": 129_950,
            "currency": "inr",
            "decline_code": "expired_card",
            "outcomes_after": ["expired_card"],
            "customer_email": email,
            "metadata": {"transaction_ref": reference},
        }
        return call("POST", f"{self.sandbox}/_control/stripe/fail_payment", body)

    def email_to(self, address):
        """The first email to the address, once it is in the inbox."""
        query = urllib.parse.urlencode({"channel": "email", "to": address, "timeout_ms": SECONDS * 1000})
        return call("GET", f"{self.sandbox}/inbox/wait?{query}")[0]

    def link_that_is_over(self, reference):
        """A link whose time has passed, asked for by the merchant."""
        headers = {"Authorization": f"Bearer {self.api_key}"}
        path = f"{self.api}/v1/recoveries/by_ref/{urllib.parse.quote(reference)}/link"
        return call("POST", path, {"ttl_hours": 0}, headers)["url"]

    def recovery(self, reference):
        """The recovery of the merchant's payment, among the newest."""
        headers = {"Authorization": f"Bearer {self.api_key}"}
        newest = call("GET", f"{self.api}/v1/recoveries?limit=50", None, headers)["data"]
        return next((found for found in newest if found["transaction_ref"] == reference), {})


def call(method, address, body=None, headers=None):
    """One call, its answer read as JSON."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **(headers or {})}
    request = urllib.request.Request(address, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=SECONDS + 10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{method} {address}: {error.code}: {error.read()[:500].decode(errors='replace')}") from error


def status_of(address):
    """The status that an address answers with."""
    try:
        with urllib.request.urlopen(address, timeout=SECONDS) as answer:
            return answer.status, answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.headers


def running(path):
    """The stack that a file tells of."""
    told = json.loads(Path(path).read_text(encoding="utf-8"))
    return Stack(**{name: told[name] for name in ("api", "sandbox", "api_key")})


@contextlib.contextmanager
def started(program, *more):
    """A stack of our own, started with these options besides, stopped and gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="tinko-page-stack-", ignore_cleanup_errors=True) as folder:
        environment = {name: value for name, value in os.environ.items() if name not in NOT_HANDED_ON}
        process = subprocess.Popen(
            [program, "up", "--quiet", "--dir", folder, *more], stdout=subprocess.PIPE, text=True, env=environment
        )
        try:
            yield introduced(process.stdout)
        finally:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=SECONDS)
            process.kill()
            process.wait()


def introduced(lines):
    """Reads what a starting stack prints until it has said all that is wanted."""
    told, printed = {}, []
    for line in lines:
        printed.append(line)
        name = WANTED.get(line[NAMES].strip())
        if name and line.startswith("  "):
            told[name] = line[VALUES].split()[0]
        if len(told) == len(WANTED):
            return Stack(**told)
    raise RuntimeError("the stack ended before it was ready:\n" + "".join(printed))
