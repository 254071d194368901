"""What a page holds before it is HTML, Markdown, text or JSON.

redact.py          personal data and secrets hidden
number_format.py   numbers and names as every view writes them
page.py            sections, tables, charts, notes
charts.py          Vega-Lite specs
training_plots.py  losses over tokens, differences against margins
"""
