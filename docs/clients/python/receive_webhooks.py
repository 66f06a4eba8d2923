"""A partner's way of hearing what happens to its recoveries: an endpoint that takes only what Tinko has signed.

Needs the package `standardwebhooks` (PyPI). A webhook may come more than once and in any order: each is taken once, by
its id, and is answered quickly, before anything slow is done with it.
"""

import http.server
import json
import os
import queue
import sys
import threading
import time
import urllib.error
import urllib.request

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from report_failures import Tinko

SECONDS = 60


class Receiver(http.server.ThreadingHTTPServer):
    """Takes webhooks at an address of this machine."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.secret = None
        self.seen = set()
        self.taken = queue.Queue()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/webhooks"

    def take(self, body, headers):
        """The status to answer with. What is not signed by Tinko is not read."""
        try:
            event = Webhook(self.secret).verify(body, headers)
        except WebhookVerificationError:
            return 400
        if event["id"] not in self.seen:
            self.seen.add(event["id"])
            self.taken.put(event)
        return 204


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.send_response(self.server.take(body, headers))
        self.end_headers()

    def log_message(self, *_):
        pass


def wait_for(receiver, kind, holds):
    """The first event of the kind for which it holds."""
    until = time.monotonic() + SECONDS
    while True:
        try:
            event = receiver.taken.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            sys.exit(f"no {kind} came within {SECONDS} s")
        if event["type"] == kind and holds(event["data"]):
            return event


def forged(receiver):
    """What comes of a webhook that somebody else has signed."""
    headers = {"webhook-id": "evt_1", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,Zm9yZ2Vk"}
    request = urllib.request.Request(receiver.url, data=b"{}", headers=headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def main():
    tinko = Tinko(os.environ["TINKO_API"], os.environ["TINKO_API_KEY"])
    receiver = Receiver()
    wanted = {"url": receiver.url, "event_types": ["recovery.*", "endpoint.test"]}
    endpoint = tinko.call("POST", "/v1/webhook-endpoints", wanted, f"endpoint-{receiver.server_port}-{time.time_ns()}")
    receiver.secret = endpoint["secret"]
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    if forged(receiver) != 400:
        sys.exit("a forged webhook was taken")
    tinko.call("POST", f"/v1/webhook-endpoints/{endpoint['id']}/test")
    wait_for(receiver, "endpoint.test", lambda data: data["endpoint_id"] == endpoint["id"])
    reported = tinko.report(
        {
            "transaction_ref": f"hook-{time.time_ns()}",
            "amount": 4_900,
            "currency": "EUR",
            "failure_reason": "insufficient_funds",
            "occurred_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
    )
    recovery = reported["recovery_id"]
    opened = wait_for(receiver, "recovery.opened", lambda data: data["recovery_id"] == recovery)
    print(f"{opened['id']} told of {recovery}, and its signature held; a forged one was refused")


if __name__ == "__main__":
    main()
