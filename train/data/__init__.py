"""Which window of the training bin comes when, and its way to the device.

window_order.py   the order of windows
batches.py        windows on the device
"""
