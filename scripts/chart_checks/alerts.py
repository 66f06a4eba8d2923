"""Checks the alert rules under helm/*/rules and runs their unit tests under helm/tests/alerts, both with promtool."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from .metrics import TARGET_LABELS, series_of
from .promql import Series, faults_of_expression, labels_of
from .settings import SERVICES

# What stands in the rules for what only an install knows; templates/_alerts.tpl puts it in.
EVERY_SERVICE, RUNBOOKS = "SERVICE", "RUNBOOKS/"
SEVERITIES = ("critical", "warning")
_LABEL_USED = re.compile(r"\$labels\.(\w+)")


@dataclass(frozen=True)
class RuleFile:
    """One file of rules. `services` are those whose charts hold it."""

    path: Path
    services: tuple[str, ...]

    @property
    def where(self) -> str:
        return "/".join(self.path.parts[-3:])

    @cached_property
    def rules(self) -> list[dict[str, Any]]:
        groups = yaml.safe_load(self.path.read_text())["groups"]
        return [rule for group in groups for rule in group["rules"]]

    @property
    def alerts(self) -> list[dict[str, Any]]:
        return [rule for rule in self.rules if "alert" in rule]


def rule_files(helm: Path) -> list[RuleFile]:
    """A service's own files, then those that every chart reaches through a link."""
    own = [
        RuleFile(path, (service,))
        for service in SERVICES
        for path in sorted((helm / service / "rules").glob("*.yaml"))
        if not path.is_symlink()
    ]
    shared = sorted((helm / "tinko-common" / "rules").glob("*.yaml"))
    return own + [RuleFile(path, tuple(SERVICES)) for path in shared]


def promtool_faults(helm: Path, files: list[RuleFile]) -> Iterator[str]:
    command = ["promtool", "check", "rules", "--lint=all", "--lint-fatal", *(each.path for each in files)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        yield f"promtool: {done.stderr or done.stdout}".replace(f"{helm}/", "helm/").rstrip()


def shared_by_every_chart(helm: Path, files: list[RuleFile]) -> Iterator[str]:
    for each in files:
        if each.path.parent.parent.name != "tinko-common":
            continue
        for service in SERVICES:
            link = helm / service / "rules" / each.path.name
            if not link.is_symlink() or link.resolve() != each.path.resolve():
                yield f"{service}/rules/{each.path.name} must be a symbolic link to tinko-common's"


def _series_for(root: Path, file: RuleFile) -> Series:
    """What the services of a file export, each of them alone, and what the file itself records."""
    shared = [series_of(root, (service,)) for service in file.services]
    series = {name: shared[0][name] for name in set.intersection(*(set(each) for each in shared))}
    for rule in file.rules:
        if "record" in rule:
            series[rule["record"]] = labels_of(rule["expr"], series) | rule.get("labels", {}).keys()
    return series


def asks_for_what_is_exported(root: Path, files: list[RuleFile]) -> Iterator[str]:
    for each in files:
        series = _series_for(root, each)
        for rule in each.rules:
            for fault in faults_of_expression(rule["expr"], series):
                yield f"{each.where}: {rule.get('alert', rule.get('record'))} {fault}"


def _faults_of_alert(alert: dict[str, Any], file: RuleFile, runbooks: Path) -> Iterator[str]:
    labels, annotations = alert.get("labels", {}), alert.get("annotations", {})
    if labels.get("severity") not in SEVERITIES:
        yield f"has the severity {labels.get('severity')}, which is none of {', '.join(SEVERITIES)}"
    service = file.services[0] if len(file.services) == 1 else EVERY_SERVICE
    if labels.get("service") != service:
        yield f"has the label service: {labels.get('service')}, not {service}"
    for name in ("summary", "description", "runbook_url"):
        if not annotations.get(name, "").strip():
            yield f"has no {name}"
    url = annotations.get("runbook_url", "")
    page, _, heading = url.removeprefix(RUNBOOKS).partition("#")
    if not url.startswith(RUNBOOKS) or not (runbooks / page).is_file():
        yield f"names a runbook that isn't there: {url}"
    elif heading:
        yield f"names a part of a runbook, which no check holds: {url}"
    if "for" not in alert:
        yield "does not say for how long (`for`, which may be 0m)"
    allowed = labels.keys() | TARGET_LABELS
    for label in set(_LABEL_USED.findall(" ".join(annotations.values()))) - allowed:
        if label not in _kept_labels(alert["expr"]):
            yield f"speaks of the label {label}, which its expression does not keep"


def _kept_labels(expression: str) -> set[str]:
    """Labels that some `by` or `on` names: what isn't aggregated at all keeps everything."""
    named = re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", expression)
    return {label.strip() for each in named for label in each.split(",")}


def is_told_of_in_full(files: list[RuleFile], runbooks: Path) -> Iterator[str]:
    seen: dict[str, str] = {}
    for each in files:
        if not each.alerts:
            yield f"{each.where} holds no alert"
        for alert in each.alerts:
            name = alert["alert"]
            if not re.fullmatch("Tinko[A-Z][A-Za-z]+", name):
                yield f"{each.where}: {name} is not named Tinko…, in words run together"
            if name in seen:
                yield f"{each.where}: {name} is in {seen[name]} as well"
            seen[name] = each.where
            yield from (f"{each.where}: {name} {fault}" for fault in _faults_of_alert(alert, each, runbooks))


def has_tests(helm: Path, files: list[RuleFile]) -> Iterator[str]:
    """Each alert is seen to fire in one test and to keep quiet in another."""
    fires, quiet = set(), set()
    for path in sorted((helm / "tests" / "alerts").glob("*.yaml")):
        for test in yaml.safe_load(path.read_text())["tests"]:
            for expected in test.get("alert_rule_test", []):
                (fires if expected.get("exp_alerts") else quiet).add(expected["alertname"])
    names = {alert["alert"] for each in files for alert in each.alerts}
    for name in sorted(names - fires):
        yield f"no unit test under helm/tests/alerts sees {name} fire"
    for name in sorted(names - quiet):
        yield f"no unit test under helm/tests/alerts sees {name} keep quiet"
    for name in sorted((fires | quiet) - names):
        yield f"helm/tests/alerts tests {name}, which no rule makes"


def _only_summaries(text: str) -> str:
    """promtool compares annotations whole; a test should not repeat paragraphs, so it sees the summary alone."""
    rules = yaml.safe_load(text)
    for rule in (rule for group in rules["groups"] for rule in group["rules"] if "annotations" in rule):
        rule["annotations"] = {"summary": rule["annotations"].get("summary", "")}
    return yaml.safe_dump(rules, sort_keys=False)


def unit_test_faults(helm: Path, files: list[RuleFile], tests: list[Path]) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        for each in files:
            copy = Path(folder) / each.path.relative_to(helm)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(_only_summaries(each.path.read_text()))
        shutil.copytree(helm / "tests" / "alerts", Path(folder) / "tests" / "alerts")
        command = ["promtool", "test", "rules", *(Path(folder) / test.relative_to(helm) for test in tests)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            yield f"promtool: {done.stdout}{done.stderr}".replace(f"{folder}/", "helm/").rstrip()


def faults_of_alerts(helm: Path, root: Path, tests: str = "*") -> list[str]:
    """`root` holds the sources that export metrics, and the runbooks. Only unit tests named like `tests` are run."""
    files = rule_files(helm)
    if not files:
        return ["there are no alert rules"]
    # What promtool does not read, the other rules need not look at.
    faults = list(promtool_faults(helm, files))
    if not faults:
        faults += shared_by_every_chart(helm, files)
        faults += asks_for_what_is_exported(root, files)
        faults += is_told_of_in_full(files, root / "docs" / "runbooks")
        faults += has_tests(helm, files)
        faults += unit_test_faults(helm, files, sorted((helm / "tests" / "alerts").glob(f"{tests}.yaml")))
    return [f"alerts: {fault}" for fault in faults]


def count_alerts(helm: Path) -> int:
    return sum(len(each.alerts) for each in rule_files(helm))
