"""What the simulation takes from the charts and the settings themselves, so that it cannot drift from them."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from .behavior import Behavior, behavior_of

ROOT = Path(__file__).parents[2]
SERVICES = ("api", "retry-worker", "notifier")
BEHAVIOR = "tinko.scalingBehavior"
PLACES = {"charge": "TINKO__ATTEMPT_CONCURRENCY", "hand_over": "TINKO__EMAIL_CONCURRENCY"}
ROOM = "TINKO__REQUESTS_AT_ONCE"


@dataclass(frozen=True)
class Scaling:
    """How one service is scaled. `externals`: most of what waits for each pod, by the name under autoscaling.perPod."""

    least: int
    most: int
    target_percent: int
    request: float
    limit: float
    externals: dict[str, float]
    behavior: Behavior


@dataclass(frozen=True)
class Setup:
    """How all three are scaled, and what the cluster is like."""

    services: dict[str, Scaling]
    # From a pod's creation until it runs, with its image on the node, and then until the kubelet has seen it ready: the probe of
    # _pod.tpl looks every 5 s, and the process takes less than 300 ms (./scripts/bench footprint).
    start_s: float = 10
    ready_s: float = 5
    # Whether nodes are so full that a pod gets no more than it requests.
    full_nodes: bool = False

    def each(self, **changes: Any) -> "Setup":
        """The same change to all three."""
        return replace(self, services={name: replace(scaling, **changes) for name, scaling in self.services.items()})


def cores(quantity: str | float) -> float:
    """A quantity of Kubernetes: 250m is a quarter of a core."""
    text = str(quantity)
    return float(text[:-1]) / 1000 if text.endswith("m") else float(text)


def behavior(root: Path = ROOT) -> Behavior:
    """What stands between the define and its end in the template; there is nothing in it that Helm would fill in."""
    text = (root / "helm/tinko-common/templates/_scaling.tpl").read_text()
    body = re.search(r'define "' + re.escape(BEHAVIOR) + r'" -}}\n(.*?)\n{{- end', text, re.DOTALL)
    if body is None:
        raise ValueError(f"_scaling.tpl has no {BEHAVIOR}")
    return behavior_of(yaml.safe_load(body.group(1)))


def setup(root: Path = ROOT) -> Setup:
    """The charts' defaults."""
    ours = behavior(root)
    return Setup({service: _scaling(root / "helm" / service / "values.yaml", ours) for service in SERVICES})


def _scaling(file: Path, ours: Behavior) -> Scaling:
    values = yaml.safe_load(file.read_text())
    scaling, resources = values["autoscaling"], values["resources"]
    return Scaling(
        least=scaling["minReplicas"],
        most=scaling["maxReplicas"],
        target_percent=scaling["targetCPUUtilizationPercentage"],
        request=cores(resources["requests"]["cpu"]),
        limit=cores(resources["limits"]["cpu"]),
        externals={name: float(most) for name, most in scaling["perPod"].items() if most},
        behavior=ours,
    )


def setting(name: str, root: Path = ROOT) -> int:
    """A setting's default, from docs/settings.md, which is written from the sources."""
    found = re.search(rf"^\| `{name}` \| `\w+` \| `(\d+)` \|", (root / "docs/settings.md").read_text(), re.MULTILINE)
    if found is None:
        raise ValueError(f"docs/settings.md tells no default of {name}")
    return int(found.group(1))


def places(root: Path = ROOT) -> dict[str, int]:
    return {work: setting(name, root) for work, name in PLACES.items()}
