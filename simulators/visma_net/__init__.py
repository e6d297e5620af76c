"""The Visma.net ERP simulator: stateful, in memory, many companies in one process.

Over HTTP as the vendor's document says (``/v1``, ``/v2``, sign-in below ``/connect``), with ``/_sim/`` routes
to arm faults, turn switches and play the people. In the same process: ``Simulation``, ``People``.
"""

from simulators.visma_net.app import create_app
from simulators.visma_net.moves import People
from simulators.visma_net.state import Simulation
from simulators.visma_net.switches import Switches

__all__ = ["People", "Simulation", "Switches", "create_app"]
