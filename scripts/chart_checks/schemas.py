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

# Those of operators' kinds that the charts make; each file names its kind.
_OPERATORS = {
    schema["properties"]["kind"]["const"]: schema
    for schema in (json.loads(path.read_text()) for path in sorted(Path(__file__).parent.glob("*.schema.json")))
}

# Each call reads some megabytes of definitions again; they don't change while we run.
utils.schema_contents = lru_cache(maxsize=None)(utils.schema_contents)


def is_kubernetes_own(document: Document) -> bool:
    """False for kinds that an operator brings; Kubernetes publishes no schema for those."""
    return document["kind"] not in _OPERATORS


@lru_cache(maxsize=None)
def _faults_of_text(text: str) -> tuple[str, ...]:
    document = json.loads(text)
    if not is_kubernetes_own(document):
        validator = jsonschema.Draft202012Validator(_OPERATORS[document["kind"]])
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
