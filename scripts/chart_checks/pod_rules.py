"""What must hold for every pod: each rule takes a rendering and yields its faults as sentences."""

from collections.abc import Iterator
from typing import Any

from .render import Document, Rendered
from .settings import SERVICES

PROBE_PATHS = {"startupProbe": "/startupz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}


def _pod(workload: Document) -> dict[str, Any]:
    if workload["kind"] == "Pod":
        return workload["spec"]
    return workload["spec"]["template"]["spec"]


def _containers(rendered: Rendered) -> Iterator[tuple[Document, dict[str, Any], str]]:
    for workload in rendered.workloads:
        pod = _pod(workload)
        for container in pod.get("initContainers", []) + pod["containers"]:
            yield workload, container, f"container {container['name']} of {workload['kind']}"


def is_locked_down(rendered: Rendered) -> Iterator[str]:
    """The restricted Pod Security Standard and a read-only root."""
    for workload, container, where in _containers(rendered):
        context = _pod(workload).get("securityContext", {}) | container.get("securityContext", {})
        if context.get("runAsNonRoot") is not True or not context.get("runAsUser"):
            yield f"{where} may run as root"
        if context.get("readOnlyRootFilesystem") is not True:
            yield f"{where} can write to its root file system"
        if context.get("allowPrivilegeEscalation") is not False or context.get("privileged"):
            yield f"{where} may gain privileges"
        if context.get("capabilities") != {"drop": ["ALL"]}:
            yield f"{where} keeps capabilities"
        if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
            yield f"{where} has no seccomp profile"
    for workload in rendered.workloads:
        if _pod(workload).get("automountServiceAccountToken") is not False:
            yield f"{workload['kind']} mounts an account's token"


def is_limited(rendered: Rendered) -> Iterator[str]:
    for _, container, where in _containers(rendered):
        for side in ("requests", "limits"):
            for amount in ("cpu", "memory"):
                if not container.get("resources", {}).get(side, {}).get(amount):
                    yield f"{where} has no {side}.{amount}"


def writes_only_to_a_bounded_tmp(rendered: Rendered) -> Iterator[str]:
    for workload in rendered.workloads:
        for volume in _pod(workload).get("volumes", []):
            if "secret" not in volume and not volume.get("emptyDir", {}).get("sizeLimit"):
                yield f"volume {volume['name']} of {workload['kind']} is not an emptyDir with a sizeLimit"
    for _, container, where in _containers(rendered):
        written = [mount["mountPath"] for mount in container.get("volumeMounts", []) if not mount.get("readOnly")]
        if written != ["/tmp"]:
            yield f"{where} must mount /tmp and write nowhere else"


def names_its_image_exactly(rendered: Rendered) -> Iterator[str]:
    for _, container, where in _containers(rendered):
        name = container["image"].rsplit("/", 1)[-1]
        if "@sha256:" not in name and (":" not in name or name.endswith(":latest")):
            yield f"{where} has no fixed tag: {container['image']}"


def is_probed(rendered: Rendered) -> Iterator[str]:
    for workload, container, where in _containers(rendered):
        if workload["kind"] != "Deployment":
            continue
        for probe, path in PROBE_PATHS.items():
            target = container.get(probe, {}).get("httpGet", {})
            if target != {"path": path, "port": "admin"}:
                yield f"{where} has no {probe} at {path} on the admin port"


def stops_in_time(rendered: Rendered) -> Iterator[str]:
    """preStop, then the process's own grace, then some seconds must fit before the kill."""
    for deployment in rendered.of_kind("Deployment"):
        pod = _pod(deployment)
        pre_stop = pod["containers"][0].get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds")
        if pre_stop != rendered.values["preStopSeconds"]:
            yield "the Deployment's preStop does not wait preStopSeconds"
            continue
        grace = rendered.values["settings"]["TINKO__SHUTDOWN_GRACE_SECONDS"]
        if pod["terminationGracePeriodSeconds"] < pre_stop + grace + 5:
            yield f"the pod is killed after {pod['terminationGracePeriodSeconds']} s, before it has had {pre_stop} + {grace} + 5 s"


def has_its_settings_once(rendered: Rendered) -> Iterator[str]:
    """Every name is one that the service knows, stands in one place, and secrets come from the Secret alone."""
    service = SERVICES[rendered.chart]
    extra = {entry["name"] for entry in rendered.values["extraEnv"]}
    config_maps = {document["metadata"]["name"]: document["data"] for document in rendered.of_kind("ConfigMap")}
    for workload, container, where in _containers(rendered):
        if workload["kind"] == "Pod":
            if container.get("env") or container.get("envFrom"):
                yield f"{where} only tests, and yet has settings"
            continue
        entries = container.get("env", [])
        names = [entry["name"] for entry in entries]
        for source in container.get("envFrom", []):
            data = config_maps.get(source["configMapRef"]["name"])
            if data is None:
                yield f"{where} reads a ConfigMap that isn't there"
            names.extend(data or [])
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"{where} has {name} twice"
        for name in sorted(set(names) - service.known - extra):
            yield f"{where} has {name}, which {service.name} does not know"
        for name in sorted(service.required - set(names)):
            yield f"{where} lacks {name}"
        secret = rendered.values["secrets"]["existingSecret"]
        if workload["kind"] == "Job" and rendered.is_on("externalSecrets"):
            secret += "-migrate"
        yield from _secret_faults(rendered, entries, set(names) & service.secret, where, secret)


def _secret_faults(rendered: Rendered, entries: list[Document], secret: set[str], where: str, from_secret: str) -> Iterator[str]:
    service = SERVICES[rendered.chart]
    by_name = {entry["name"]: entry for entry in entries}
    for name in sorted(secret):
        reference = by_name.get(name, {}).get("valueFrom", {}).get("secretKeyRef")
        if reference is None:
            yield f"{where} has {name} in plain sight"
        elif reference["name"] != from_secret:
            yield f"{where} takes {name} from another Secret than {from_secret}"
        elif reference.get("optional", False) != (name in service.optional):
            yield f"{where} has it the wrong way round whether {name} may be absent"


def is_spread(rendered: Rendered) -> Iterator[str]:
    for deployment in rendered.of_kind("Deployment"):
        constraints = _pod(deployment).get("topologySpreadConstraints", [])
        if {entry["topologyKey"] for entry in constraints} != {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}:
            yield "the Deployment is not spread over nodes and zones"
        for entry in constraints:
            if entry["labelSelector"]["matchLabels"] != deployment["spec"]["selector"]["matchLabels"]:
                yield f"the spread over {entry['topologyKey']} counts other pods than the Deployment's"


POD_RULES = (
    is_locked_down,
    is_limited,
    writes_only_to_a_bounded_tmp,
    names_its_image_exactly,
    is_probed,
    stops_in_time,
    has_its_settings_once,
    is_spread,
)
