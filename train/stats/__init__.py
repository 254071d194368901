"""The statistics of a verdict; numpy and scipy.special, no torch.

power.py                  the minimum detectable effect
paired_difference.py      the difference of two arms and its variance
holm.py                   several arms against one baseline
decision_rule.py          from a difference and margins to a verdict
leak_effect.py            what leaked documents did to a loss
tokens_to_equal_loss.py   with what share of the tokens the better arm is as good
"""
