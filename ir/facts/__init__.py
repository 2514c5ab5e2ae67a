"""Facts about a kernel: how it touches memory, where lanes part, what fits on a target.

facts = kernel_facts(module, "reduce<float, 256>", Launch((64, 1, 1), (256, 1, 1)))
facts.accesses.where(space="shared")       every access of a space, in program order
facts.on("gfx942").occupancy.waves         what one target makes of it
"""

from crossport.ir.facts.hardware import GpuTarget, Target, TpuTarget, gpu, target, targets
from crossport.ir.facts.kernel import DEFAULT_TARGETS, KernelFacts, TargetFacts, kernel_facts
from crossport.ir.facts.memory import Pattern
from crossport.ir.facts.occupancy import Occupancy
from crossport.ir.facts.sampling import Launch
from crossport.ir.facts.tpu import TpuFacts
from crossport.ir.facts.warp import WarpAssumption

__all__ = [
    "DEFAULT_TARGETS",
    "GpuTarget",
    "KernelFacts",
    "Launch",
    "Occupancy",
    "Pattern",
    "Target",
    "TargetFacts",
    "TpuFacts",
    "TpuTarget",
    "WarpAssumption",
    "gpu",
    "kernel_facts",
    "target",
    "targets",
]
