"""Signs here and verifies there, and the other way round. usage: both_ways.py PROGRAM"""

import base64
import datetime
import json
import os
import subprocess
import sys
import time

import stripe
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

ID = "evt_019a6b0e5c7d7000a1b2c3d4e5f60718"
BODIES = ['{"type":"recovery.opened"}', '{"words":"₹1,299.50 – naïve"}', "", '{ "spaced" : 1 }\n']


class Ours:
    """Tinko's signing and verifying, in a process of its own."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, do, **fields):
        print(json.dumps({"do": do, **fields}), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())


def seconds():
    return int(time.time())


def refused(error, verify):
    try:
        verify()
    except error:
        return True
    return False


def hmac_ours_by_theirs(ours, body):
    secret = "whsec_" + base64.b64encode(os.urandom(32)).decode()
    at = seconds()
    signature = ours.ask("sign", key=secret, id=ID, timestamp=at, body=body)["signature"]
    headers = {"webhook-id": ID, "webhook-timestamp": str(at), "webhook-signature": signature}
    webhook = Webhook(secret)
    if body.startswith("{"):
        assert webhook.verify(body, headers) == json.loads(body)
    assert refused(WebhookVerificationError, lambda: webhook.verify(body + " ", headers))


def hmac_theirs_by_ours(ours, body):
    secret = "whsec_" + base64.b64encode(os.urandom(24)).decode()
    at = datetime.datetime.now(datetime.timezone.utc)
    header = "v1,bm90IG91cnM= " + Webhook(secret).sign(ID, at, body)
    fields = {"key": secret, "id": ID, "timestamp": int(at.timestamp()), "header": header}
    assert ours.ask("verify", body=body, **fields)["genuine"]
    assert not ours.ask("verify", body=body + " ", **fields)["genuine"]


def ed25519_ours_by_theirs(ours, body):
    key = "whsk_" + base64.b64encode(os.urandom(32)).decode()
    at = seconds()
    answer = ours.ask("sign", key=key, id=ID, timestamp=at, body=body)
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(answer["public"].removeprefix("whpk_")))
    scheme, signature = answer["signature"].split(",")
    assert scheme == "v1a"
    signature = base64.b64decode(signature)
    public.verify(signature, f"{ID}.{at}.{body}".encode())
    assert refused(InvalidSignature, lambda: public.verify(signature, f"{ID}.{at}.{body} ".encode()))


def ed25519_theirs_by_ours(ours, body):
    private = Ed25519PrivateKey.generate()
    raw = private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    at = seconds()
    header = "v1a," + base64.b64encode(private.sign(f"{ID}.{at}.{body}".encode())).decode()
    fields = {"key": "whsk_" + base64.b64encode(raw).decode(), "id": ID, "timestamp": at, "header": header}
    assert ours.ask("verify", body=body, **fields)["genuine"]
    assert not ours.ask("verify", body=body + " ", **fields)["genuine"]


def stripe_ours_by_theirs(ours, body):
    secret = "whsec_" + os.urandom(16).hex()
    header = ours.ask("sign_stripe", secret=secret, timestamp=seconds(), body=body)["header"]
    assert stripe.WebhookSignature.verify_header(body, header, secret, 300)
    wrong = stripe.SignatureVerificationError
    assert refused(wrong, lambda: stripe.WebhookSignature.verify_header(body + " ", header, secret, 300))


def stripe_theirs_by_ours(ours, body):
    secret = "whsec_" + os.urandom(16).hex()
    at = seconds()
    # The package's own function for it, which its verifying uses too.
    signature = stripe.WebhookSignature._compute_signature(f"{at}.{body}", secret)
    header = f"t={at},v1={signature},v0=00"
    assert ours.ask("verify_stripe", secret=secret, header=header, body=body)["genuine"]
    assert not ours.ask("verify_stripe", secret=secret, header=header, body=body + " ")["genuine"]
    late = at - 600
    signature = stripe.WebhookSignature._compute_signature(f"{late}.{body}", secret)
    header = f"t={late},v1={signature}"
    assert not ours.ask("verify_stripe", secret=secret, header=header, body=body)["genuine"]


CHECKS = (
    ("Standard Webhooks, HMAC: ours read by theirs", hmac_ours_by_theirs),
    ("Standard Webhooks, HMAC: theirs read by ours", hmac_theirs_by_ours),
    ("Standard Webhooks, Ed25519: ours read by theirs", ed25519_ours_by_theirs),
    ("Standard Webhooks, Ed25519: theirs read by ours", ed25519_theirs_by_ours),
    ("Stripe: the sandbox's read by Stripe's package", stripe_ours_by_theirs),
    ("Stripe: those of Stripe's package read by psp", stripe_theirs_by_ours),
)


def main(arguments):
    if len(arguments) != 1:
        sys.exit(__doc__)
    ours = Ours(arguments[0])
    for words, check in CHECKS:
        for body in BODIES:
            check(ours, body)
        print(f"signatures: {words}: {len(BODIES)} bodies, and each changed one refused")


if __name__ == "__main__":
    main(sys.argv[1:])
