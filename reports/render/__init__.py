"""From a page to a file.

svg.py    charts as SVG text, checked
html.py   one HTML file that needs no network
text.py   Markdown, or text for a terminal
"""
