"""Committed renderings, so that a review shows what a change of a template does to a cluster."""

import difflib
from pathlib import Path

import yaml

from .render import Document, Rendered


class _Dumper(yaml.SafeDumper):
    """Without anchors: equal parts are written out wherever they stand."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _key(document: Document) -> str:
    return f"{document['kind']} {document['metadata']['name']}"


def snapshot_of(rendered: Rendered, default: Rendered) -> str:
    """The default case whole; every other case as what differs from it, since most of it is the same."""
    if rendered.case == default.case:
        shown, absent = rendered.documents, []
    else:
        usual = {_key(document): document for document in default.documents}
        shown = [document for document in rendered.documents if usual.get(_key(document)) != document]
        absent = sorted(usual.keys() - {_key(document) for document in rendered.documents})
    lines = [f"# {rendered.title}. Written by scripts/check-charts --update."]
    lines += [f"# absent: {name}" for name in absent]
    body = yaml.dump_all(shown, Dumper=_Dumper, sort_keys=True, width=120, explicit_start=True) if shown else ""
    return "\n".join(lines) + "\n" + body


def snapshot_path(helm: Path, rendered: Rendered) -> Path:
    return helm / "tests" / "snapshots" / f"{rendered.chart}-{rendered.case}.yaml"


def differences(committed: str, now: str, name: str) -> list[str]:
    """The first lines of a unified diff, empty when there is none."""
    lines = list(difflib.unified_diff(committed.splitlines(), now.splitlines(), name, "rendered now", lineterm="", n=2))
    return lines[:40]
