"""What the loss curve itself says.

schedule.py      the learning rate at each step
law.py           the laws a curve is fitted to
regression.py    robust least squares under weak priors
fit.py           the constants and their errors
forecast.py      the loss at the end
slope.py         the last window against a healthy run's
evaluations.py   the gap of train and val, a turn upwards, spikes
"""
