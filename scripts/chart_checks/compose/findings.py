"""All rules on one copy of the files."""

from pathlib import Path

from .config_files import (
    grafana_finds_its_parts,
    pooler_is_safe,
    prometheus_has_the_rules,
    prometheus_reads_every_service,
)
from .dockerfiles import FILE_RULES, are_one_text, compose_builds_them, workspace_fits_in_the_context
from .project import ComposeRefuses, Project, load
from .service_rules import SERVICE_RULES


def dockerfiles_in(root: Path) -> list[Path]:
    return sorted((root / "docker").glob("*.Dockerfile"))


def faults_in(root: Path) -> list[str]:
    try:
        project = load(root)
    except ComposeRefuses as error:
        return [f"docker-compose.yml: Docker Compose refuses: {error}"]
    return _compose_faults(project) + _dockerfile_faults(project) + _config_faults(project)


def _compose_faults(project: Project) -> list[str]:
    return [f"docker-compose.yml: {fault}" for rule in SERVICE_RULES for fault in rule(project)]


def _dockerfile_faults(project: Project) -> list[str]:
    faults = [
        f"{file.name}: {fault}"
        for file in dockerfiles_in(project.root)
        for rule in FILE_RULES
        for fault in rule(project.root, file)
    ]
    faults += are_one_text(project.root)
    faults += compose_builds_them(project)
    return faults + list(workspace_fits_in_the_context(project.root))


def _config_faults(project: Project) -> list[str]:
    return [
        *pooler_is_safe(project),
        *prometheus_reads_every_service(project),
        *prometheus_has_the_rules(project),
        *grafana_finds_its_parts(project),
    ]
