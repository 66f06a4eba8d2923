"""A payer's way, from the email to the page that says that it is paid; and links that are over."""

import re
import secrets

from .accessible import check_page
from .stack import status_of

AMOUNT = "1,299.50"
MERCHANT = "Demo Store"
PAID = re.compile(r"\b(paid|thank you|received)\b", re.IGNORECASE)
OVER = re.compile(r"\b(expired|no longer|not valid|not found|has ended|cannot find)\b", re.IGNORECASE)
PAY = "form[method=post] button[type=submit]"
GOOD_CARD, DECLINED_CARD = "4242 4242 4242 4242", "4000 0000 0000 0002"
# 192 bits in URL-safe base64, as a token is, that no link has.
TOKEN_BYTES = 24


def pay(findings, stack, phone):
    """From the email to paid, and back to the link."""
    reference = f"page-{secrets.token_hex(6)}"
    email = f"{reference}@payer.example"
    stack.fail_payment(reference, email)
    link = follow_the_email(findings, stack, phone, email)
    see_what_is_owed(findings, phone, email, link)
    pay_at_the_checkout(findings, stack, phone, link)
    come_back(findings, phone, link)
    findings.at("the recovery")
    recovery = stack.recovery(reference)
    findings.check(recovery.get("state") == "recovered", "it is recovered", recovery)
    findings.check(recovery.get("recovered_by") == "link", "it was the link that did it", recovery)


def follow_the_email(findings, stack, phone, email):
    findings.at("the email")
    message = stack.email_to(email)
    findings.check(bool(message["subject"]), "it has a subject", message["subject"])
    findings.check(bool(message["text"]) and bool(message["html"]), "it has a text and an HTML part")
    links = [link for link in message["links"] if "/pay/" in link]
    findings.check(len(links) == 1, "it has one link to pay", len(links))
    phone.open(f"{stack.sandbox}/inbox/{message['id']}")
    phone.press(".links a[href*='/pay/']")
    findings.check(phone.address == links[0], "the link leads to the page", phone.address)
    findings.check(phone.address.startswith(f"{stack.api}/pay/"), "the page is Tinko's own")
    return links[0]


def see_what_is_owed(findings, phone, email, link):
    findings.at("the page")
    words = phone.words()
    findings.check(AMOUNT in words, f"it says what is owed ({AMOUNT})", words)
    findings.check(MERCHANT in words, f"it says to whom ({MERCHANT})", words)
    findings.check(re.search("card", words, re.IGNORECASE), "it says why in words", words)
    findings.check(email not in phone.driver.page_source, "it does not show the payer's whole address")
    check_page(findings, phone)
    phone.picture("1-owed")
    status, headers = status_of(link)
    findings.check(status == 200, "it answers 200", status)
    policy = headers.get("Content-Security-Policy", "")
    findings.check("default-src 'none'" in policy or "default-src 'self'" in policy, "its policy is closed", policy)
    findings.check("no-store" in headers.get("Cache-Control", ""), "nobody keeps a copy")
    findings.check("no-referrer" in headers.get("Referrer-Policy", ""), "its address is told to nobody")


def pay_at_the_checkout(findings, stack, phone, link):
    findings.at("the checkout")
    phone.press(PAY)
    checkout = phone.address
    findings.check(checkout.startswith(f"{stack.sandbox}/stripe/checkout/"), "the button leads to the PSP", checkout)
    findings.check(plain(AMOUNT) in plain(phone.words()), "it asks for what is owed", phone.words())
    phone.press("main > p > a")
    findings.check(phone.address.startswith(link), "going back leads to the page", phone.address)
    findings.check(bool(phone.all(PAY)), "there the payer may try again")
    phone.press(PAY)
    findings.check(phone.address == checkout, "there is one checkout, however often it is asked for", phone.address)
    enter_card(phone, DECLINED_CARD)
    findings.check(bool(phone.all("#error")), "a card that is declined is told of")
    # The PSP's page answers a declined card by an error, which is not Tinko's.
    phone.complaints()
    enter_card(phone, GOOD_CARD)
    findings.at("the page after paying")
    findings.check(phone.address.startswith(f"{stack.api}/pay/"), "it is Tinko's own", phone.address)
    check_page(findings, phone)
    phone.until(lambda page: PAID.search(page.words()), "the page never said that it was paid")
    findings.check(not phone.all(PAY), "there is nothing left to pay")
    check_page(findings, phone)
    phone.picture("2-paid")


def plain(words):
    """Without the commas that not everyone writes in amounts."""
    return words.replace(",", "")


def enter_card(phone, number):
    field = phone.one("#card_number")
    field.clear()
    field.send_keys(number)
    phone.press("#pay")


def come_back(findings, phone, link):
    findings.at("the link once more")
    phone.open(link)
    findings.check(PAID.search(phone.words()), "it says that it is paid", phone.words())
    findings.check(not phone.all(PAY), "nobody can pay twice")
    check_page(findings, phone)
    phone.picture("3-already-paid")


def without_paying(findings, stack, phone):
    """What else a payer may come upon: links that are over, and the page to be left alone by."""
    reference = f"page-{secrets.token_hex(6)}"
    email = f"{reference}@payer.example"
    stack.fail_payment(reference, email)
    message = stack.email_to(email)
    links_that_are_over(findings, stack, phone, reference)
    unsubscribe(findings, stack, phone, message)


def links_that_are_over(findings, stack, phone, reference):
    """A link that was never made, one that is cut short, one whose time has passed."""
    unknown = f"{stack.api}/pay/{secrets.token_urlsafe(TOKEN_BYTES)}"
    expired = stack.link_that_is_over(reference)
    for name, link, expected in [
        ("unknown", unknown, 404),
        ("cut-short", unknown[:-5], 404),
        ("expired", expired, 410),
    ]:
        findings.at(f"a link that is {name}")
        status, _ = status_of(link)
        findings.check(status == expected, f"it answers {expected}", status)
        phone.open(link)
        # The browser's console tells of the status, which is as it must be.
        phone.complaints()
        words = phone.words()
        findings.check(OVER.search(words), "it says what is wrong", words)
        findings.check(AMOUNT not in words and reference not in words, "it tells nothing of anybody", words)
        findings.check(not phone.all(PAY), "nobody can pay there")
        check_page(findings, phone)
        phone.picture(f"4-{name}")


def unsubscribe(findings, stack, phone, message):
    findings.at("the page to unsubscribe")
    headers = {name.lower(): value for name, value in message["headers"].items()}
    findings.check("One-Click" in headers.get("list-unsubscribe-post", ""), "mail programs may do it by one click")
    links = [link for link in message["links"] if "/unsubscribe/" in link]
    if not findings.check(len(links) == 1, "the email has one link to unsubscribe", message["links"]):
        return
    phone.open(links[0])
    findings.check(MERCHANT in phone.words(), "it says from whom", phone.words())
    check_page(findings, phone)
    phone.picture("5-unsubscribe")
    phone.press(PAY)
    findings.check(re.search("no more email", phone.words()), "it is done by one button", phone.words())
    check_page(findings, phone)
