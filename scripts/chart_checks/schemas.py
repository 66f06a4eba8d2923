"""Validates documents against Kubernetes' own schemas, in their strict form (an unknown field is a fault)."""

import json
from functools import lru_cache
from pathlib import Path

import jsonschema
import kubernetes_validate
from kubernetes_validate import utils

from .render import Document

# The oldest that the charts take (Chart.yaml's kubeVersion), one in the middle, the newest known.
KUBERNETES_VERSIONS = ("1.30", "1.34", "1.37")

_SERVICE_MONITOR = json.loads((Path(__file__).parent / "servicemonitor.schema.json").read_text())

# Each call reads some megabytes of definitions again; they don't change while we run.
utils.schema_contents = lru_cache(maxsize=None)(utils.schema_contents)


def is_kubernetes_own(document: Document) -> bool:
    """False for kinds that an operator brings; Kubernetes publishes no schema for those."""
    return document["apiVersion"] != "monitoring.coreos.com/v1"


@lru_cache(maxsize=None)
def _faults_of_text(text: str) -> tuple[str, ...]:
    document = json.loads(text)
    if not is_kubernetes_own(document):
        validator = jsonschema.Draft202012Validator(_SERVICE_MONITOR)
        return tuple(f"{error.json_path}: {error.message}" for error in validator.iter_errors(document))
    faults = []
    for version in KUBERNETES_VERSIONS:
        try:
            used = kubernetes_validate.validate(document, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            path = ".".join(str(part) for part in error.path)
            faults.append(f"Kubernetes {version}: {path}: {error.message}")
        except kubernetes_validate.SchemaNotFoundError as error:
            faults.append(error.message)
        else:
            if used != version:
                faults.append(f"no schemas for Kubernetes {version}, only for {used}")
    return tuple(faults)


def schema_faults(document: Document) -> list[str]:
    """What the schemas of every version in `KUBERNETES_VERSIONS` object to."""
    return list(_faults_of_text(json.dumps(document, sort_keys=True)))
