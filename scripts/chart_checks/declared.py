"""Holds settings.py against the tables of settings in the Rust sources, so that neither runs ahead of the other."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .settings import SERVICES, Service

COMMON_TABLE = Path("crates/runtime/src/settings/shared.rs")
_ENTRY = re.compile(r'(required|optional|with_default)\(\s*"([A-Z][A-Z0-9_]*)"')


@dataclass(frozen=True)
class Declared:
    name: str
    required: bool
    secret: bool


def declared_in(rust: str) -> Iterator[Declared]:
    """The entries `Setting::kind("NAME", …)`, with `.secret()` behind those whose value must not be shown."""
    for part in rust.split("Setting::")[1:]:
        entry = _ENTRY.match(part)
        if entry:
            yield Declared(entry[2], entry[1] == "required", ".secret()" in part)


def _of_service(root: Path, service: Service) -> dict[str, Declared]:
    files = sorted((root / "services" / service.name / "src").rglob("*.rs"))
    return {each.name: each for file in files for each in declared_in(file.read_text())}


def _of_crates(root: Path) -> set[str]:
    """Names in the tables of our crates, each read by the services that use the crate."""
    files = sorted((root / "crates").glob("*/src/**/*.rs"))
    return {each.name for file in files for each in declared_in(file.read_text())}


def without_table(root: Path) -> list[str]:
    """Services that declare no setting of their own, so that only the common ones can be compared."""
    return [service.name for service in SERVICES.values() if not _of_service(root, service)]


def disagreements(root: Path) -> Iterator[str]:
    common = {each.name: each for each in declared_in((root / COMMON_TABLE).read_text())}
    if not common:
        yield f"{COMMON_TABLE} declares no setting that this check can read"
    shared = _of_crates(root)
    for service in SERVICES.values():
        own = _of_service(root, service)
        for name in sorted(service.known - own.keys() - shared if own else ()):
            yield f"settings.py says that {service.name} knows {name}, which no source declares"
        for each in (common | own).values():
            if each.required and each.name not in service.required | service.plain:
                yield f"{service.name} does not start without {each.name}, which settings.py doesn't say"
            if each.secret and each.name in service.plain:
                yield f"{each.name} of {service.name} is a secret, but settings.py calls it plain"
