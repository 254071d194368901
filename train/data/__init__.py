"""What is trained on: which window of the training bin comes when, and its way to the device.

window_order.py   the order of windows: each once an epoch, or drawn with replacement
batches.py        windows on the device, inputs and targets
"""
