"""What the loss curve itself says. Steps are optimizer updates, losses nats a token.

learning_rate.py   the learning rate at each step
law.py             the laws a curve is fitted to
regression.py      robust least squares under weak priors
fit.py             a law's constants and their errors: `fit_curve`
forecast.py        the loss at the end, with an interval: `forecast_loss`
slope.py           the last window against a healthy run's: `judge_slope`
evaluations.py     the gap of val and train, a turn upwards, spikes
"""
