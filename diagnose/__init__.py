"""Say why a loss is flat, from the log and whatever else there is; by evidence, not by opinion.

log -> logs (step, loss, learning rate) -> schedule (learning rate at every step)
    -> fit (the law's constants) -> forecast (the finished schedule, with an interval)
    -> slope (the last window against a healthy run's) -> weigh (hypotheses) -> command

What the fitting part offers the weighing part; steps are optimizer updates, losses nats a token:

schedule.py    `LearningRate`: any function from an array of steps to their learning rates.
               `Schedule(kind, peak, end_step, warmup_steps=0, floor=0.0, cooldown_steps=0)` is
               one, kind `cosine`, `linear`, `constant` or `wsd`; `Logged(step, rate)` another.
law.py         The laws: what is spent and what is annealed by each step.
regression.py  `Priors`, and the robust least squares under them.
fit.py         `fit_curve(step, loss, learning_rate, end_step=...) -> Fit`: floor, scale,
               exponent, gain (nats that the decay buys by `end_step`), covariance, noise (of one
               evaluation), residual. `UsageError` where the curve is too short.
forecast.py    `forecast_loss(fit, at_step=..., confidence=0.9) -> Forecast`: value, low, high,
               level (the fitted loss now), drop (level - value), drop_sd, cross_checks (law ->
               loss), caveats, sentence.
slope.py       `choose_window(step) -> from_step`; `healthy_drop(learning_rate, from_step,
               to_step, end_step) -> HealthyDrop` (value, sd), other people's runs, or
               `expected_drop(fit, from_step, to_step)`, this run's own past;
               `judge_slope(step, loss, expected) -> SlopeVerdict`: outcome (STILL_IMPROVING,
               FLATTER or TOO_NOISY), drop, low, high, more_evaluations, sentence.
"""

PACKAGES = ("logs", "curve", "facts", "hypotheses", "answer")
