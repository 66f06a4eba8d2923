"""Sees that the checks notice faults, on pages made for it."""

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .accessible import check_page
from .browser import phone
from .findings import Findings

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Pay</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1"><style>button {{ height: 44px }}{style}</style></head>
<body><main><h1>Pay</h1>{body}<form method="post" action="/right"><button>Pay</button></form></main></body></html>"""
PAGES = {
    "right": PAGE.format(style="", body="<p>What is owed.</p>"),
    "faint": PAGE.format(style="p { color: #ccc }", body="<p>What is owed.</p>"),
    "unlabelled": PAGE.format(style="", body='<input name="amount">'),
    "wide": PAGE.format(style="p { width: 600px }", body="<p>What is owed.</p>"),
    "small": PAGE.format(style="button { height: 20px !important }", body=""),
    "nameless": PAGE.format(style="", body="").replace(' lang="en"', ""),
    "headless": PAGE.format(style="", body="").replace("h1>", "p>"),
    "for-desks": PAGE.format(style="", body="").replace("width=device-width", "width=1200"),
    "foreign": PAGE.format(style="", body='<img alt="" src="http://localhost:9/a.png">'),
    "breaking": PAGE.format(style="", body="<script>throw new Error('broken')</script>"),
}
NEEDS_SCRIPTS = {"faint", "unlabelled", "breaking"}


class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        body = PAGES[self.path.strip("/")].encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        """Nobody reads it."""


class Quiet(Findings):
    """Findings that are wanted."""

    def check(self, is_right, promise, seen=""):
        self.checks += 1
        if not is_right:
            self.faults.append(promise)


def self_test():
    """Answers how many pages were judged as they must be; ends the program at the first that was not."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    judged = 0
    for javascript in (True, False):
        with phone(javascript) as browser:
            for name in PAGES:
                if name in NEEDS_SCRIPTS and not javascript:
                    continue
                findings = Quiet()
                browser.open(f"http://127.0.0.1:{server.server_port}/{name}")
                check_page(findings, browser)
                if bool(findings.faults) == (name == "right"):
                    sys.exit(f"self-test: the page {name!r} was judged {findings.faults or 'right'}")
                judged += 1
            browser.open(f"http://127.0.0.1:{server.server_port}/small")
            browser.press("button")
            if not browser.address.endswith("/right"):
                sys.exit(f"self-test: pressing a button led to {browser.address}")
    server.shutdown()
    return judged
