"""All rules on one chart or one rendering."""

from pathlib import Path

from .chart_files import CHART_FILE_RULES
from .object_rules import OBJECT_RULES
from .pod_rules import POD_RULES
from .render import Rendered
from .schemas import schema_faults


def faults_of_rendering(rendered: Rendered) -> list[str]:
    """Schemas first: the rules lean on the documents' shape, so they run only on valid ones."""
    faults = [
        f"{rendered.title}: {document['kind']}: {fault}"
        for document in rendered.documents
        for fault in schema_faults(document)
    ]
    if faults:
        return faults
    if not rendered.notes.strip():
        faults.append(f"{rendered.title}: NOTES.txt is empty")
    return faults + [f"{rendered.title}: {fault}" for rule in OBJECT_RULES + POD_RULES for fault in rule(rendered)]


def faults_of_chart_files(chart_dir: Path) -> list[str]:
    return [f"{chart_dir.name}: {fault}" for rule in CHART_FILE_RULES for fault in rule(chart_dir)]
