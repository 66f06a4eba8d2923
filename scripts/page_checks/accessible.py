"""What makes a page usable for everyone: axe-core's rules, and a few that need a screen."""

import importlib.util
from pathlib import Path

from .browser import HEIGHT, WIDTH

SERIOUS = {"serious", "critical"}
# WCAG 2.2, 2.5.5: a target that a thumb finds, in CSS pixels.
THUMB = 44


def axe_source():
    package = importlib.util.find_spec("axe_playwright_python")
    return (Path(package.origin).parent / "axe.min.js").read_text(encoding="utf-8")


def violations(phone):
    """axe-core's serious and critical findings on the page, as sentences. Needs a page that may run scripts."""
    phone.driver.execute_script(axe_source())
    answer = phone.driver.execute_async_script(
        """
        const done = arguments[arguments.length - 1];
        axe.run(document, { resultTypes: ['violations'] }).then(
          result => done({ violations: result.violations, passes: result.passes.length }),
          error => done({ error: String(error) }));
        """
    )
    if "error" in answer or not answer["passes"]:
        raise RuntimeError(f"axe-core did not look at the page: {answer.get('error', 'no rule applied')}")
    return [
        f"{found['impact']}: {found['id']}: {found['help']}: {', '.join(str(node['target']) for node in found['nodes'])}"
        for found in answer["violations"]
        if found["impact"] in SERIOUS
    ]


def check_page(findings, phone):
    """What every page of Tinko's promises."""
    if phone.javascript:
        found = violations(phone)
        findings.check(not found, "axe-core finds no serious fault", "; ".join(found))
        complaints = phone.complaints()
        findings.check(not complaints, "the browser's console has no complaint", "; ".join(complaints))
    headings = phone.all("h1")
    findings.check(len(headings) == 1, "it has one main heading", len(headings))
    language = phone.one("html").get_attribute("lang")
    findings.check(bool(language), "it says its language", language)
    findings.check(bool(phone.driver.title), "it has a title")
    screen = phone.measure("[innerWidth, innerHeight]")
    findings.check(screen == [WIDTH, HEIGHT], "it is laid out for the phone's own screen", screen)
    width = phone.measure("document.documentElement.scrollWidth")
    findings.check(width <= WIDTH, "nothing has to be scrolled sideways", width)
    for button in phone.all("button, .button, [role=button]"):
        size = button.size
        findings.check(size["height"] >= THUMB, f"a thumb finds {button.text!r}", size)
    sources = [element.get_attribute("src") or element.get_attribute("href") for element in phone.all(OUTSIDE)]
    foreign = [source for source in sources if source.startswith("http") and not source.startswith(origin(phone))]
    findings.check(not foreign, "it loads nothing from elsewhere", foreign)


OUTSIDE = "script[src], img[src], iframe[src], link[rel~=stylesheet][href], link[rel~=icon][href]"


def origin(phone):
    return "/".join(phone.address.split("/")[:3]) + "/"
