"""Settings of a run, as they are asked for.

settings.py      checked and completed
help.py          what each is, for --help
config_file.py   read from a file: TOML, or one of nanoGPT's, parsed and never run
"""
