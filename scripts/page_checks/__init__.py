"""Checks of the page that Tinko hosts for payers, in a real browser. See scripts/check-page."""
