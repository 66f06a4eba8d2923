"""The reference page of the API, as a developer opens it."""

from .stack import call

METHODS = {"get", "head", "post", "put", "patch", "delete"}


def look_up(findings, stack, browser):
    """Every operation is on the page, which asks nobody but the service for anything."""
    findings.at("the reference page")
    document = call("GET", f"{stack.api}/openapi.json")
    items = [*document["paths"].values(), *document["webhooks"].values()]
    wanted = sum(len(METHODS & item.keys()) for item in items)
    browser.open(f"{stack.api}/docs")
    browser.one(".opblock-tag")
    browser.driver.execute_script("document.querySelectorAll('.opblock-tag[data-is-open=false]').forEach(it => it.click())")
    browser.until_there(lambda: len(browser.all(".opblock")) >= wanted, f"{wanted} operations on the page")
    findings.check(document["info"]["title"] in browser.one(".info").text, "it has the document's title")
    summaries = [found.text for found in browser.all(".opblock-summary-description")]
    findings.check(len(summaries) >= wanted and all(summaries), "each operation has its summary", len(summaries))
    browser.picture("reference")
    one = browser.one("#operations-Events-eventsPaymentFailedReport .opblock-summary-control")
    one.click()
    body = browser.one("#operations-Events-eventsPaymentFailedReport .body-param__example")
    findings.check("ORDER-1001" in body.text, "an operation shows the example of its body", body.text)
    browser.driver.execute_script("arguments[0].scrollIntoView()", one)
    browser.picture("reference-operation")
    asked = browser.requests()
    elsewhere = [url for url in asked if not url.startswith((f"{stack.api}/", "data:", "blob:"))]
    findings.check(len(asked) >= 4 and not elsewhere, "it asks nobody but the service", elsewhere or asked)
    said = browser.complaints()
    findings.check(not said, "its policy holds and nothing fails in it", said)
