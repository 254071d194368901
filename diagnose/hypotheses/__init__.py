"""Twelve hypotheses, each weighed by the run's own numbers.

evidence.py      log-odds points, in sentences with numbers
experiments.py   what would decide, and what it costs
data.py          overfitting, too little data, its quality
training.py      schedule, learning rate, capacity, dropout, precision, throughput
validation.py    too noisy, too small, leaked
weigh.py         all of them, likeliest first
levers.py        what each change is expected to buy
"""
