"""On what a model is computed.

device.py           devices, the precision of each, its peak
memory.py           what a micro-batch takes
compiled_model.py   a model on its device, compiled once
distributed.py      several processes that train one model
signals.py          signals that ask a run to stop
"""
