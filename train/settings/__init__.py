"""What callers and command lines ask of a run; settings are checked in `formats.config_checks`.

config_file.py   read from a file: TOML, or one of nanoGPT's, parsed and never run
settings.py      put over each other: a config's, a size's, those by name
retention.py     which checkpoints the folder of a finished run keeps
help.py          what each means, for --help
"""
