"""On what a model is computed.

device.py           devices, the precision of each, its peak
memory.py           what a micro-batch takes of a device's memory
compiled_model.py   a model on its device, compiled once
distributed.py      the processes that torchrun started
signals.py          SIGINT and SIGTERM, which ask a run to stop
"""
