"""Renders, validates and compares the charts. Run through scripts/check-charts."""

import argparse
import sys
from pathlib import Path

import helm_python

from .alert_self_test import run_alert_self_test
from .alerts import count_alerts, faults_of_alerts
from .cases import REFUSALS, cases_for, is_compared
from .chart_files import schemas_agree
from .compose_rules import faults_of_compose_rules
from .dashboard_files import dashboard_files
from .dashboards import faults_of_dashboards
from .declared import disagreements, without_table
from .findings import faults_of_chart_files, faults_of_rendering
from .readme import table, with_table
from .render import Rendered, least_values, lint, overlay, render
from .scaling import faults_of_scaling
from .schemas import KUBERNETES_VERSIONS, is_kubernetes_own
from .self_test import run_self_test
from .settings import SERVICES
from .snapshots import differences, snapshot_of, snapshot_path

ROOT = Path(__file__).resolve().parents[2]
HELM = ROOT / "helm"


def render_all() -> tuple[list[Rendered], list[str]]:
    """Every chart in every case, and what `helm lint` or the engine objected to."""
    rendered, faults = [], []
    for chart in SERVICES:
        least = least_values(HELM / chart)
        for case in cases_for(chart):
            values = overlay(least, case.values)
            try:
                rendered.append(render(HELM / chart, chart, case.name, case.release, values))
            except helm_python.HelmError as error:
                faults.append(f"{chart}, {case.name}: Helm refuses: {error}")
            faults += [f"{chart}, {case.name}: lint: {message}" for message in lint(HELM / chart, values)]
    return rendered, faults


def refusal_faults() -> tuple[int, list[str]]:
    """Wrong values that Helm took, or refused with a message that doesn't name the mistake."""
    tried, faults = 0, []
    for refusal in REFUSALS:
        for chart in refusal.charts:
            tried += 1
            values = overlay(least_values(HELM / chart), refusal.values)
            try:
                render(HELM / chart, chart, refusal.name, "tinko", values)
            except helm_python.HelmError as error:
                if refusal.message not in str(error):
                    faults.append(f"{chart}: {refusal.name}: the refusal doesn't name {refusal.message!r}: {error}")
            else:
                faults.append(f"{chart}: {refusal.name}: taken without a word: {refusal.values}")
    return tried, faults


def snapshot_faults(all_rendered: list[Rendered], update: bool) -> list[str]:
    faults = []
    defaults = {rendered.chart: rendered for rendered in all_rendered if rendered.case == "default"}
    wanted = {}
    for rendered in filter(lambda each: is_compared(each.case), all_rendered):
        wanted[snapshot_path(HELM, rendered)] = snapshot_of(rendered, defaults[rendered.chart])
    folder = HELM / "tests" / "snapshots"
    folder.mkdir(parents=True, exist_ok=True)
    for stale in sorted(set(folder.iterdir()) - wanted.keys()):
        if update:
            stale.unlink()
        else:
            faults.append(f"{stale.name} belongs to no case: run scripts/check-charts --update")
    for path, now in wanted.items():
        if update:
            path.write_text(now)
            continue
        committed = path.read_text() if path.exists() else ""
        faults += differences(committed, now, path.name)
    return faults


def update_readmes() -> None:
    for chart in SERVICES:
        path = HELM / chart / "README.md"
        path.write_text(with_table(path.read_text(), table(HELM / chart)))


def finish(faults: list[str]) -> None:
    for fault in faults:
        print(f"charts: {fault}", file=sys.stderr)
    if faults:
        sys.exit(1)


def self_test() -> None:
    broken, missed = run_self_test(HELM)
    bad_alerts, passed = run_alert_self_test(HELM, ROOT)
    finish(missed + passed)
    print(f"charts: {broken + bad_alerts} deliberate faults, each noticed")


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/check-charts", description=__doc__)
    parser.add_argument("--update", action="store_true", help="rewrite the snapshots, the tables in the READMEs and the rules of docker-compose.yml")
    parser.add_argument("--self-test", action="store_true", help="only break copies of the charts and see it noticed")
    options = parser.parse_args()
    if options.self_test:
        self_test()
        return
    if options.update:
        update_readmes()
    rendered, faults = render_all()
    for chart in SERVICES:
        faults += faults_of_chart_files(HELM / chart)
    faults += schemas_agree(HELM)
    faults += disagreements(ROOT)
    faults += faults_of_alerts(HELM, ROOT)
    faults += faults_of_dashboards(HELM, ROOT)
    faults += faults_of_scaling(HELM, ROOT, rendered)
    for each in rendered:
        faults += faults_of_rendering(each)
    faults += snapshot_faults(rendered, options.update)
    faults += faults_of_compose_rules(ROOT, options.update)
    refused, unrefused = refusal_faults()
    finish(faults + unrefused)
    self_test()
    for name in without_table(ROOT):
        print(f"charts: {name} declares no settings of its own yet, so only the common ones were compared")
    documents = [document for each in rendered for document in each.documents]
    own = sum(is_kubernetes_own(document) for document in documents)
    print(f"charts: {refused} wrong sets of values refused, {len(documents) - own} documents of operators' kinds valid")
    print(f"charts: {count_alerts(HELM)} alerts, each tested, on metrics that are exported and with a runbook")
    print(f"charts: {len(dashboard_files(HELM, ROOT))} dashboards ask for what is exported")
    print(f"charts: {len(rendered)} rendered, {own} documents valid for Kubernetes {', '.join(KUBERNETES_VERSIONS)}")


if __name__ == "__main__":
    main()
