"""What must hold between the objects of one rendering."""

import json
import re
from collections.abc import Iterator

from .render import NAMESPACE, Document, Rendered
from .settings import SERVICES

ALWAYS = {"ConfigMap", "Deployment", "Service"}
AUTOSCALERS = ("HorizontalPodAutoscaler", "ScaledObject")
DEFAULT_CPU_PERCENT = 65
# The schemas say "string"; the API server says this.
LABEL_VALUE = re.compile("([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


def _deployment(rendered: Rendered) -> Document:
    return rendered.of_kind("Deployment")[0]


def _selects(selector: dict[str, str], labels: dict[str, str]) -> bool:
    return bool(selector) and selector.items() <= labels.items()


def _is_hook(document: Document) -> bool:
    return "helm.sh/hook" in document["metadata"].get("annotations", {})


def dashboards_of(rendered: Rendered) -> list[Document]:
    return [each for each in rendered.of_kind("ConfigMap") if each["metadata"]["name"].endswith("-dashboards")]


def has_the_objects_that_its_values_ask_for(rendered: Rendered) -> Iterator[str]:
    values = rendered.values
    wanted = set(ALWAYS)
    for kind, enabled in (
        *((kind, rendered.is_on("autoscaling") and values["autoscaling"]["through"] == kind) for kind in AUTOSCALERS),
        ("ExternalSecret", rendered.is_on("externalSecrets")),
        ("PodDisruptionBudget", values["podDisruptionBudget"]["enabled"]),
        ("NetworkPolicy", values["networkPolicy"]["enabled"]),
        ("ServiceMonitor", values["serviceMonitor"]["enabled"]),
        ("PrometheusRule", values["prometheusRule"]["enabled"]),
        ("ServiceAccount", values["serviceAccount"]["create"]),
    ):
        if enabled:
            wanted.add(kind)
    found = {document["kind"] for document in rendered.documents if not _is_hook(document)}
    for kind in sorted(wanted - found):
        yield f"there is no {kind}"
    for kind in sorted(found - wanted):
        yield f"there is a {kind} that no value asks for"
    if bool(rendered.of_kind("Pod")) != rendered.is_on("helmTest"):
        yield "the test's Pod does not follow helmTest.enabled"
    if bool(dashboards_of(rendered)) != rendered.is_on("dashboards"):
        yield "the dashboards do not follow dashboards.enabled"
    has_job = any(document["kind"] == "Job" for document in rendered.documents)
    if has_job != values.get("migrations", {}).get("enabled", False):
        yield "the migration Job does not follow migrations.enabled"


def is_named_and_labelled(rendered: Rendered) -> Iterator[str]:
    seen: set[tuple[str, str]] = set()
    for document in rendered.documents:
        metadata = document["metadata"]
        where = f"{document['kind']} {metadata['name']}"
        if (document["kind"], metadata["name"]) in seen:
            yield f"{where} is there twice"
        seen.add((document["kind"], metadata["name"]))
        if len(metadata["name"]) > 63 or not re.fullmatch("[a-z0-9]([-a-z0-9]*[a-z0-9])?", metadata["name"]):
            yield f"{where} has a name that is no DNS label"
        if metadata.get("namespace") != NAMESPACE:
            yield f"{where} is not in the release's namespace"
        for label in ("name", "instance", "component", "part-of", "managed-by", "version"):
            if not metadata.get("labels", {}).get(f"app.kubernetes.io/{label}"):
                yield f"{where} lacks the label app.kubernetes.io/{label}"
        for label, value in metadata.get("labels", {}).items():
            if not LABEL_VALUE.fullmatch(value):
                yield f"{where} has a label value that Kubernetes refuses: {label}={value}"


def selects_its_own_pods(rendered: Rendered) -> Iterator[str]:
    """Everything with a selector finds the Deployment's pods; nothing but the hook's policy finds the Job's."""
    labels = _deployment(rendered)["spec"]["template"]["metadata"]["labels"]
    jobs = [job["spec"]["template"]["metadata"]["labels"] for job in rendered.of_kind("Job")]
    tests = [pod["metadata"]["labels"] for pod in rendered.of_kind("Pod")]
    for document in rendered.documents:
        spec = document.get("spec", {})
        if document["kind"] == "Service":
            selector = spec["selector"]
        elif document["kind"] in ("Deployment", "PodDisruptionBudget"):
            selector = spec["selector"]["matchLabels"]
        elif document["kind"] == "NetworkPolicy":
            selector = spec["podSelector"].get("matchLabels", {})
        else:
            continue
        mine, others = (jobs, [labels]) if _is_hook(document) else ([labels], jobs)
        if not all(_selects(selector, each) for each in mine):
            yield f"{document['kind']} {document['metadata']['name']} does not select its pods"
        if any(_selects(selector, each) for each in others + tests):
            yield f"{document['kind']} {document['metadata']['name']} selects pods that aren't its own"


def exposes_ports_that_exist(rendered: Rendered) -> Iterator[str]:
    service = SERVICES[rendered.chart]
    wanted = {"http": 8080, "admin": 9090} if service.serves_http else {"admin": 9090}
    ports = {port["name"]: port["containerPort"] for port in _deployment(rendered)["spec"]["template"]["spec"]["containers"][0]["ports"]}
    if ports != wanted:
        yield f"the container's ports are {ports}, not {wanted}"
    outside = {port["targetPort"]: port["port"] for port in rendered.of_kind("Service")[0]["spec"]["ports"]}
    if outside != wanted:
        yield f"the Service's ports are {outside}, not {wanted}"
    for monitor in rendered.of_kind("ServiceMonitor"):
        if [endpoint["port"] for endpoint in monitor["spec"]["endpoints"]] != ["admin"]:
            yield "the ServiceMonitor does not read the admin port"
        job = rendered.of_kind("Service")[0]["metadata"]["labels"].get(monitor["spec"].get("jobLabel"))
        if job != rendered.chart:
            yield f"Prometheus would call the service {job}, and the alerts ask for {rendered.chart}"
        if not _selects(monitor["spec"]["selector"]["matchLabels"], rendered.of_kind("Service")[0]["metadata"]["labels"]):
            yield "the ServiceMonitor does not select the Service"


def _quicker_up_than_down(kind: str, behavior: Document) -> Iterator[str]:
    if behavior["scaleUp"]["stabilizationWindowSeconds"] >= behavior["scaleDown"]["stabilizationWindowSeconds"]:
        yield f"the {kind} is not quicker up than down"


def scales_by_load(rendered: Rendered) -> Iterator[str]:
    deployment = _deployment(rendered)
    values = rendered.values["autoscaling"]
    if values["enabled"] == ("replicas" in deployment["spec"]):
        yield "either an autoscaler or the Deployment says how many pods there are, never both"
    for hpa in rendered.of_kind("HorizontalPodAutoscaler"):
        spec = hpa["spec"]
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment["metadata"]["name"]}
        if spec["scaleTargetRef"] != target:
            yield "the HorizontalPodAutoscaler does not scale the Deployment"
        by_use = [m["resource"] for m in spec["metrics"] if m["type"] == "Resource"]
        percent = [(it["name"], it["target"].get("averageUtilization")) for it in by_use]
        if percent != [("cpu", values["targetCPUUtilizationPercentage"])]:
            yield "the HorizontalPodAutoscaler does not scale by the CPU percentage of its values"
        if rendered.case == "default" and percent != [("cpu", DEFAULT_CPU_PERCENT)]:
            yield f"by default the HorizontalPodAutoscaler aims at {percent}, not at {DEFAULT_CPU_PERCENT} % CPU"
        if not 2 <= spec["minReplicas"] <= spec["maxReplicas"]:
            yield "the HorizontalPodAutoscaler's bounds don't leave two pods"
        waiting = {m["external"]["metric"]["name"] for m in spec["metrics"] if m["type"] == "External"}
        if len(waiting) != sum(target > 0 for target in values["perPod"].values()):
            yield f"the HorizontalPodAutoscaler scales by {sorted(waiting)}, and not by each target of autoscaling.perPod"
        yield from _quicker_up_than_down("HorizontalPodAutoscaler", spec["behavior"])
    for scaled in rendered.of_kind("ScaledObject"):
        spec = scaled["spec"]
        if spec["scaleTargetRef"]["name"] != deployment["metadata"]["name"]:
            yield "the ScaledObject does not scale the Deployment"
        if not 2 <= spec["minReplicaCount"] <= spec["maxReplicaCount"]:
            yield "the ScaledObject's bounds don't leave two pods"
        queries = [it["metadata"]["query"] for it in spec["triggers"] if it["type"] == "prometheus"]
        if len(queries) != sum(target > 0 for target in values["perPod"].values()):
            yield "the ScaledObject does not scale by each target of autoscaling.perPod"
        if not all(f'namespace="{NAMESPACE}"' in query for query in queries):
            yield f"the ScaledObject counts what other installs have: {queries}"
        yield from _quicker_up_than_down("ScaledObject", spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"])


def alerts_with_all_its_rules(rendered: Rendered) -> Iterator[str]:
    """Each file under rules/ gives its groups, with nothing left that an install has to fill in."""
    given = rendered.values["prometheusRule"]
    for rule in rendered.of_kind("PrometheusRule"):
        groups = rule["spec"]["groups"]
        alerts = [each for group in groups for each in group["rules"] if "alert" in each]
        if not alerts:
            yield "the PrometheusRule has no alert"
        for alert in alerts:
            if not alert["annotations"]["runbook_url"].startswith(given["runbooksUrl"].rstrip("/") + "/"):
                yield f"the runbook of {alert['alert']} is not under prometheusRule.runbooksUrl"
            if alert["labels"]["service"] != rendered.chart:
                yield f"{alert['alert']} calls its service {alert['labels']['service']}, not {rendered.chart}"
        if '"SERVICE"' in str(groups):
            yield "the PrometheusRule still speaks of SERVICE"


def lets_nodes_drain(rendered: Rendered) -> Iterator[str]:
    values = rendered.values
    pods = values["autoscaling"]["minReplicas"] if values["autoscaling"]["enabled"] else values["replicas"]
    for pdb in rendered.of_kind("PodDisruptionBudget"):
        away = pdb["spec"].get("maxUnavailable")
        if away is None or (isinstance(away, int) and not 0 < away < pods):
            yield f"the PodDisruptionBudget lets {away} of {pods} pods go"


def closes_the_network(rendered: Rendered) -> Iterator[str]:
    for policy in rendered.of_kind("NetworkPolicy"):
        spec, name = policy["spec"], policy["metadata"]["name"]
        if set(spec["policyTypes"]) != {"Ingress", "Egress"}:
            yield f"NetworkPolicy {name} leaves a direction open"
        for rule in spec.get("ingress", []):
            if {"port": "admin", "protocol": "TCP"} in rule["ports"] and not rule.get("from"):
                yield f"NetworkPolicy {name} opens the admin port to everyone"
        for rule in spec["egress"]:
            if not rule.get("ports"):
                yield f"NetworkPolicy {name} lets pods reach every port"
            for peer in rule.get("to", []):
                block = peer.get("ipBlock", {})
                if block.get("cidr") == "0.0.0.0/0" and "169.254.169.254/32" not in block.get("except", []):
                    yield f"NetworkPolicy {name} lets pods reach the cloud's metadata address"


def runs_as_an_account_that_exists(rendered: Rendered) -> Iterator[str]:
    made = {account["metadata"]["name"] for account in rendered.of_kind("ServiceAccount")}
    given = rendered.values["serviceAccount"]
    if not given["create"]:
        made.add(given["name"])
    for workload in rendered.of_kind("Deployment") + rendered.of_kind("Job"):
        account = workload["spec"]["template"]["spec"]["serviceAccountName"]
        if account not in made:
            yield f"{workload['kind']} runs as {account}, which nothing makes"


def holds_its_dashboards(rendered: Rendered) -> Iterator[str]:
    for config_map in dashboards_of(rendered):
        if not config_map.get("data"):
            yield "the ConfigMap of dashboards is empty"
        for name, text in config_map.get("data", {}).items():
            if json.loads(text)["uid"] != f"tinko-{name.removesuffix('.json')}":
                yield f"the dashboard {name} has another uid than its name says"


def tests_by_a_hook(rendered: Rendered) -> Iterator[str]:
    for pod in rendered.of_kind("Pod"):
        if pod["metadata"].get("annotations", {}).get("helm.sh/hook") != "test":
            yield "the test's Pod is no hook of `helm test`"
        address = pod["spec"]["containers"][0]["command"][-1]
        name = rendered.of_kind("Service")[0]["metadata"]["name"]
        if not address.startswith(f"http://{name}.{NAMESPACE}:9090/"):
            yield f"the test asks {address}, not the Service's admin port"


def takes_secrets_from_a_store_if_asked(rendered: Rendered) -> Iterator[str]:
    """The service's Secret, and for the migration Job one that is there before the first install."""
    made = {each["spec"]["target"]["name"]: _is_hook(each) for each in rendered.of_kind("ExternalSecret")}
    name = rendered.values["secrets"]["existingSecret"]
    wanted = {name: False} | ({f"{name}-migrate": True} if rendered.of_kind("Job") else {})
    if made and made != wanted:
        yield f"the ExternalSecrets make {made}, where {wanted} are wanted (true: before the install)"


def migrates_before_anything_else(rendered: Rendered) -> Iterator[str]:
    """A hook runs before the chart's plain objects are there, so it may lean on hooks alone."""
    hooks = {(document["kind"], document["metadata"]["name"]) for document in rendered.documents if _is_hook(document)}
    for job in rendered.of_kind("Job"):
        annotations = job["metadata"].get("annotations", {})
        if annotations.get("helm.sh/hook") != "pre-install,pre-upgrade":
            yield "the migration Job is not a hook before install and upgrade"
        pod = job["spec"]["template"]["spec"]
        if pod["containers"][0].get("args") != ["migrate"]:
            yield "the migration Job does not run `api migrate`"
        if pod["containers"][0].get("envFrom"):
            yield "the migration Job reads a ConfigMap that isn't there before the install"
        if ("ServiceAccount", pod["serviceAccountName"]) not in hooks:
            yield "the migration Job's account is no hook, so it isn't there before the install"
        wanted = rendered.values["migrations"]["databaseUrlKey"]
        urls = [entry["valueFrom"]["secretKeyRef"]["key"] for entry in pod["containers"][0]["env"] if entry["name"] == "DATABASE_URL"]
        if urls != [wanted]:
            yield f"the migration Job takes DATABASE_URL from {urls}, not from {wanted}"


OBJECT_RULES = (
    has_the_objects_that_its_values_ask_for,
    is_named_and_labelled,
    selects_its_own_pods,
    exposes_ports_that_exist,
    scales_by_load,
    holds_its_dashboards,
    tests_by_a_hook,
    takes_secrets_from_a_store_if_asked,
    alerts_with_all_its_rules,
    lets_nodes_drain,
    closes_the_network,
    runs_as_an_account_that_exists,
    migrates_before_anything_else,
)
