"""What schemathesis has to be told of Tinko's API."""

import json
import os
import urllib.request

import schemathesis

API = os.environ["FUZZ_API"]
KEY = os.environ["FUZZ_API_KEY"]
PERSON = {
    "email": "fuzz@fuzz.example",
    "password": "correct horse battery",
    "org_name": "Fuzz",
    "org_slug": f"fuzz-{os.getpid()}",
}


def registered():
    """The access token of a person, for the routes that refuse keys."""
    request = urllib.request.Request(
        f"{API}/v1/auth/register",
        data=json.dumps(PERSON).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["access_token"]


@schemathesis.serializer("message/rfc822")
def mail(context, value):
    """A mail is sent as it was made up."""
    return value if isinstance(value, bytes) else str(value).encode()


@schemathesis.auth()
class Caller:
    """A key where keys may call, a person where only people may."""

    def get(self, case, context):
        wanted = case.operation.definition.raw.get("security", [])
        schemes = {name for requirement in wanted for name in requirement}
        if "apiKey" in schemes:
            return KEY
        return registered() if schemes else None

    def set(self, case, data, context):
        if data:
            case.headers = case.headers or {}
            case.headers["Authorization"] = f"Bearer {data}"
