"""What is trained on: which window of the training bin comes when, and its way to the device.

window_order.py      the order of windows: each once an epoch, or drawn with replacement
shared_documents.py  coupled arms: their documents, those that arms share side by side
coupled_order.py     coupled arms: their windows, those that arms share at the same steps
coupled_arms.py      coupled arms: what one of their runs trains on
batches.py           windows on the device, inputs and targets
"""
