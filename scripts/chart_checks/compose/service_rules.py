"""What must hold for the services of docker-compose.yml: each rule yields its faults as sentences."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from ..settings import PAGES, SERVICES, Service
from .project import ComposeService, Project

EXPECTED = {
    "postgres", "pgbouncer", "redis", "rabbitmq", "jaeger", "prometheus", "grafana", "sandbox",
    "migrate", "api", "retry-worker", "notifier",
}
ONE_SHOT = {"migrate"}
# Telemetry may be away: no service waits for it.
NEVER_WAITED_FOR = {"jaeger", "prometheus", "grafana"}
LISTENS = {
    "postgres": {5432}, "pgbouncer": {6432}, "redis": {6379}, "rabbitmq": {5672}, "jaeger": {4317}, "sandbox": {8025, 2525},
}
OURS = {"migrate", "sandbox", *SERVICES}


def has_every_part(project: Project) -> Iterator[str]:
    for name in sorted(EXPECTED - project.services.keys()):
        yield f"there is no service {name}"
    for name in sorted(project.services.keys() - EXPECTED):
        yield f"service {name} is unknown to this check: add it to EXPECTED"


def is_healthy_or_ends(project: Project) -> Iterator[str]:
    for name, service in project.services.items():
        if name in ONE_SHOT:
            if service.get("restart", "no") != "no":
                yield f"{name} runs once, yet would be restarted"
            continue
        if service.get("restart") != "unless-stopped":
            yield f"{name} does not come back after a crash"
        test = service.get("healthcheck", {}).get("test", [])
        if test[:1] != ["CMD"] or len(test) < 2:
            yield f"{name} has no health check in exec form"
    for name in SERVICES:
        test = project.services[name].get("healthcheck", {}).get("test", [])
        if test[-1:] != ["http://127.0.0.1:9090/readyz"]:
            yield f"{name} is not asked for /readyz on its admin port"


def waits_for_what_it_needs(project: Project) -> Iterator[str]:
    for name, service in project.services.items():
        for needed, how in service.get("depends_on", {}).items():
            if needed in ONE_SHOT and how["condition"] != "service_completed_successfully":
                yield f"{name} does not wait for {needed} to have ended well"
            if needed not in ONE_SHOT | NEVER_WAITED_FOR and how["condition"] != "service_healthy":
                yield f"{name} does not wait for {needed} to be healthy"
            if needed in NEVER_WAITED_FOR and how["condition"] != "service_started":
                yield f"{name} would not start while {needed} is unwell"
    for name in SERVICES:
        if "migrate" not in project.services[name].get("depends_on", {}):
            yield f"{name} may start on a schema that is not up to date"


def publishes_on_loopback_only(project: Project) -> Iterator[str]:
    seen: dict[str, str] = {}
    for name, service in project.services.items():
        for port in service.get("ports", []):
            if port.get("host_ip") != "127.0.0.1":
                yield f"{name} publishes port {port['target']} beyond loopback"
            other = seen.setdefault(port.get("published", ""), name)
            if other != name:
                yield f"{name} and {other} both publish port {port['published']}"


def names_its_images_exactly(project: Project) -> Iterator[str]:
    builds: dict[str, object] = {}
    for name, service in project.services.items():
        image = service.get("image", "")
        if not re.search(r":[A-Za-z0-9][\w.-]*$", image) or image.endswith(":latest"):
            yield f"{name} has no fixed tag: {image!r}"
        if builds.setdefault(image, service.get("build")) != service.get("build"):
            yield f"{name} builds {image} otherwise than another service does"


def mounts_what_exists(project: Project) -> Iterator[str]:
    used = set()
    for name, service in project.services.items():
        for mount in service.get("volumes", []):
            if mount["type"] == "volume":
                used.add(mount["source"])
            elif mount["type"] == "bind":
                source = project.root / mount["source"]
                if not source.exists():
                    yield f"{name} mounts {mount['source']}, which isn't there"
                if not mount.get("read_only"):
                    yield f"{name} may write to {mount['source']}, which is in the repository"
    for volume in sorted(project.volumes - used):
        yield f"volume {volume} is used by nothing"


def knows_its_settings(project: Project) -> Iterator[str]:
    for name, service in {"migrate": SERVICES["api"], **SERVICES}.items():
        given = project.environment_of(name)
        for setting in sorted(given.keys() - service.known):
            yield f"{name} is given {setting}, which {service.name} does not know"
        for setting in sorted(_needed(service) - given.keys()):
            yield f"{name} is not given {setting}"


def _needed(service: Service) -> set[str]:
    listen = {"TINKO__LISTEN"} if service.serves_http else set()
    pages = PAGES & service.plain
    return {"ENVIRONMENT", "LOG_LEVEL", "TINKO__ADMIN_LISTEN", *pages, *service.required, *listen}


def reaches_what_its_addresses_name(project: Project) -> Iterator[str]:
    """An address in the environment names a service here, by a port that it listens on, and is waited for."""
    for name in ("migrate", *SERVICES):
        for setting, value in project.environment_of(name).items():
            if "://" not in value or setting == "TINKO__PUBLIC_BASE_URL":
                continue
            if name == "migrate" and setting != "DATABASE_URL":
                # It reads all settings as the api does, and uses this one.
                continue
            url = urlsplit(value)
            if url.port not in LISTENS.get(url.hostname or "", ()):
                yield f"{name}: {setting} points to {url.hostname}:{url.port}, where nothing listens"
            elif url.hostname not in NEVER_WAITED_FOR and url.hostname not in project.services[name].get("depends_on", {}):
                yield f"{name}: {setting} points to {url.hostname}, which {name} does not wait for"


def is_locked_down(project: Project) -> Iterator[str]:
    for name in sorted(OURS & project.services.keys()):
        service = project.services[name]
        if not service.get("read_only"):
            yield f"{name} can write to its root file system"
        if service.get("cap_drop") != ["ALL"]:
            yield f"{name} keeps capabilities"
        if "no-new-privileges:true" not in service.get("security_opt", []):
            yield f"{name} may gain privileges"
        if service.get("privileged") or service.get("user") in ("0", "root"):
            yield f"{name} runs as root"


def stops_in_time(project: Project) -> Iterator[str]:
    for name in SERVICES:
        grace = int(project.environment_of(name).get("TINKO__SHUTDOWN_GRACE_SECONDS", "25"))
        given = _seconds(project.services[name])
        if given < grace + 5:
            yield f"{name} is killed after {given} s, before its {grace} s of grace and 5 s more"


def _seconds(service: ComposeService) -> int:
    """Compose prints durations as `1m5s`; 10 s is what Docker gives when nothing is said."""
    text = service.get("stop_grace_period", "10s")
    found = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", text)
    hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    return hours * 3600 + minutes * 60 + seconds


SERVICE_RULES = (
    has_every_part,
    is_healthy_or_ends,
    waits_for_what_it_needs,
    publishes_on_loopback_only,
    names_its_images_exactly,
    mounts_what_exists,
    knows_its_settings,
    reaches_what_its_addresses_name,
    is_locked_down,
    stops_in_time,
)
