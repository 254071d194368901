"""Training logs of many programs, read into one `RunLog`.

path -> log_file (a folder, a pipe, gzip) -> detect_format -> formats/ -> gatherer -> restarts

run_log.py       what was measured at which step
restarts.py      what a restarted run wrote twice, and shuffled lines, put in order
gatherer.py      measurements collected by kind
text_blocks.py   text in blocks of whole lines
text_format.py   formats of lines, by patterns
columns.py       which column of a table is which
tables.py        formats of tables
formats/         a file a program; its first page says how to add one
log_file.py      where a log is
detect_format.py which program wrote a log
read_log.py      all of it
"""

PACKAGES = ("formats",)
