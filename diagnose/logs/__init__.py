"""Training logs of many programs, read into one `RunLog`.

path -> log_file (a folder, a pipe, gzip) -> read_log (which format?) -> formats/ -> gatherer

run_log.py       what was measured at which step
gatherer.py      resumed, repeated and shuffled lines put in order
text_blocks.py   text in blocks of whole lines
text_format.py   formats of lines, by patterns
columns.py       which column of a table is which
tables.py        formats of tables
formats/         a file a program; its first page says how to add one
log_file.py      where a log is
read_log.py      the format detected, the log read
"""

PACKAGES = ("formats",)
