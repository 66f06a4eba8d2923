"""Which environment names each service knows. Charts and compose may set no other."""

from dataclasses import dataclass

COMMON_PLAIN = frozenset({
    "ENVIRONMENT",
    "LOG_LEVEL",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "SENTRY_TRACES_SAMPLE_RATE",
    "TINKO__ADMIN_LISTEN",
    "TINKO__LOG_FORMAT",
    "TINKO__SHUTDOWN_GRACE_SECONDS",
    "TINKO__TRACE_SAMPLE_RATIO",
})
COMMON_SECRET = frozenset({"DATABASE_URL", "REDIS_URL", "TINKO__LINK_KEY"})


# Where outsiders are, for development: the sandbox plays them. Charts leave these alone.
PSP_ADDRESSES = frozenset({"TINKO__STRIPE_BASE_URL", "TINKO__RAZORPAY_BASE_URL"})
# Where payers are led: only those who write or serve links know it.
PAGES = frozenset({"TINKO__PUBLIC_BASE_URL"})
MESSAGE_ADDRESSES = frozenset({"TINKO__TWILIO_BASE_URL", "TINKO__WHATSAPP_BASE_URL"})


@dataclass(frozen=True)
class Service:
    """What one service reads. `required` and `optional` are the secret ones."""

    name: str
    plain: frozenset[str]
    required: frozenset[str]
    optional: frozenset[str]
    serves_http: bool = False

    @property
    def secret(self) -> frozenset[str]:
        return self.required | self.optional

    @property
    def known(self) -> frozenset[str]:
        return self.plain | self.secret


SERVICES = {
    service.name: service
    for service in (
        Service(
            name="api",
            plain=COMMON_PLAIN | PAGES | PSP_ADDRESSES | {"TINKO__LISTEN", "TINKO__OPEN_REGISTRATION", "TINKO__PROXIES"},
            required=COMMON_SECRET | {"TINKO__MASTER_KEY"},
            optional=frozenset({
                "SENTRY_DSN",
                "TINKO__ACCESS_TOKEN_KEYS",
                "TINKO__BOUNCE_SECRET",
                "TINKO__OPERATOR_TOKEN",
                "TWILIO_AUTH_TOKEN",
                "WHATSAPP_APP_SECRET",
                "WHATSAPP_VERIFY_TOKEN",
            }),
            serves_http=True,
        ),
        Service(
            name="retry-worker",
            plain=COMMON_PLAIN | PSP_ADDRESSES,
            required=COMMON_SECRET | {"TINKO__MASTER_KEY"},
            optional=frozenset({"SENTRY_DSN"}),
        ),
        Service(
            name="notifier",
            plain=COMMON_PLAIN | PAGES | MESSAGE_ADDRESSES | {"TINKO__MAIL_FROM"},
            required=COMMON_SECRET | {"SMTP_URL", "TINKO__MASTER_KEY"},
            optional=frozenset({
                "SENTRY_DSN",
                "ANALYTICS_SINK_URL",
                "TWILIO_ACCOUNT_SID",
                "TWILIO_AUTH_TOKEN",
                "TWILIO_FROM",
                "WHATSAPP_TOKEN",
                "WHATSAPP_PHONE_NUMBER_ID",
            }),
        ),
    )
}
