"""`python -m evcharge.simulator`: `evcharge simulate` without the rest of evcharge.

That starts in a third of the time and takes a fraction of the memory.
"""

from evcharge.simulator.command import simulate

simulate()
