"""Load on a Tinko, as its users make it. README.md says how to run it, and what each setting means.

Each user of Locust is one caller: a PSP that delivers webhooks, a partner's system that reports failures, or a dashboard that
somebody looks at. What they create is about payments of their own, so it can be run again and again; run it against a test or
staging installation all the same, whose PSP accounts and message providers are test ones: recoveries of these payments begin.
"""

import hashlib
import hmac
import json
import os
import random
import time
import uuid

from locust import HttpUser, constant_throughput, task

# Failed payments a second and user, and looks at a dashboard.
RATE = float(os.environ.get("TINKO_RATE", "1"))
BATCH = int(os.environ.get("TINKO_BATCH", "100"))
API_KEY = os.environ.get("TINKO_API_KEY", "")
WEBHOOK_PATH = os.environ.get("TINKO_WEBHOOK_PATH", "")
WEBHOOK_SECRET = os.environ.get("TINKO_WEBHOOK_SECRET", "")
WEBHOOK_ACCOUNT = os.environ.get("TINKO_WEBHOOK_ACCOUNT")

# Stripe's decline codes, the most frequent ones more often (https://docs.stripe.com/declines/codes).
DECLINES = {"insufficient_funds": 5, "generic_decline": 3, "do_not_honor": 3, "expired_card": 2, "lost_card": 1}


def serial() -> str:
    return uuid.uuid4().hex


def decline() -> str:
    return random.choices(list(DECLINES), DECLINES.values())[0]


def report() -> dict:
    """A failed payment, as a partner's system tells of it."""
    n = serial()
    return {
        "transaction_ref": f"load-{n}",
        "amount": random.randint(100, 250_000),
        "currency": "EUR",
        "gateway": "load",
        "failure_reason": decline(),
        "occurred_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "customer": {"email": f"load-{n}@example.com"},
    }


def stripe_event() -> bytes:
    """`payment_intent.payment_failed`, as far as it is read."""
    n, now, code = serial(), int(time.time()), decline()
    method = {
        "id": f"pm_{n}",
        "object": "payment_method",
        "type": "card",
        "billing_details": {"email": f"load-{n}@example.com", "name": "Load Test"},
        "card": {"brand": "visa", "country": "PT", "fingerprint": f"fp{n[:14]}", "funding": "credit", "last4": "0341"},
    }
    intent = {
        "id": f"pi_{n}",
        "object": "payment_intent",
        "amount": random.randint(100, 250_000),
        "currency": "eur",
        "created": now,
        "customer": f"cus_{n}",
        "latest_charge": f"ch_{n}",
        "metadata": {"transaction_ref": f"load-{n}"},
        "payment_method_types": ["card"],
        "setup_future_usage": "off_session",
        "status": "requires_payment_method",
        "last_payment_error": {
            "type": "card_error",
            "code": "card_declined",
            "decline_code": code,
            "message": "Your card was declined.",
            "charge": f"ch_{n}",
            "payment_method": method,
        },
    }
    event = {
        "id": f"evt_{n}",
        "object": "event",
        "account": WEBHOOK_ACCOUNT,
        "created": now,
        "livemode": False,
        "type": "payment_intent.payment_failed",
        "data": {"object": intent},
    }
    return json.dumps(event).encode()


def signed(body: bytes) -> dict[str, str]:
    """As Stripe signs what it delivers (https://docs.stripe.com/webhooks#verify-manually)."""
    now = int(time.time())
    tag = hmac.new(WEBHOOK_SECRET.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Content-Type": "application/json", "Stripe-Signature": f"t={now},v1={tag}"}


class Psp(HttpUser):
    """Delivers webhooks, each once, and one in fifty a second time, as PSPs do."""

    weight = 6 if WEBHOOK_PATH else 0
    wait_time = constant_throughput(RATE)

    @task
    def deliver(self) -> None:
        body = stripe_event()
        for _ in range(2 if random.random() < 0.02 else 1):
            self.client.post(WEBHOOK_PATH, data=body, headers=signed(body), name="webhook")


class Partner(HttpUser):
    """Reports failures one by one, now and then many at once, and looks one up."""

    weight = 3
    wait_time = constant_throughput(RATE)

    def on_start(self) -> None:
        self.client.headers["Authorization"] = f"Bearer {API_KEY}"
        self.reported: list[str] = []

    @task(20)
    def report(self) -> None:
        failure = report()
        key = {"Idempotency-Key": failure["transaction_ref"]}
        answer = self.client.post("/v1/events/payment_failed", json=failure, headers=key, name="report")
        if answer.ok:
            self.reported = [*self.reported[-99:], failure["transaction_ref"]]

    @task(1)
    def report_many(self) -> None:
        failures = [report() for _ in range(BATCH)]
        self.client.post("/v1/events/payment_failed/batch", json={"events": failures}, name=f"report {BATCH} at once")

    @task(5)
    def look_up(self) -> None:
        if self.reported:
            reference = random.choice(self.reported)
            self.client.get(f"/v1/transactions/by_ref/{reference}", name="look up")


class Dashboard(HttpUser):
    """Somebody looks at the figures, and pages through the recoveries."""

    weight = 1
    wait_time = constant_throughput(RATE)

    def on_start(self) -> None:
        self.client.headers["Authorization"] = f"Bearer {API_KEY}"

    @task(3)
    def figures(self) -> None:
        for figure in ("summary", "recovery_rate", "by_category"):
            self.client.get(f"/v1/analytics/{figure}", name=f"analytics/{figure}")

    @task(2)
    def pages(self) -> None:
        page = self.client.get("/v1/recoveries?limit=50", name="recoveries").json()
        following = page.get("next_cursor")
        if following:
            self.client.get("/v1/recoveries", params={"limit": 50, "cursor": following}, name="recoveries, next page")
