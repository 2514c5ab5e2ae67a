"""Print a flat program as a Triton kernel: one program a thread block, one lane a thread.

    if (i < n) y[i] = 2 * x[i]          mask_1 = active & (i < n)
                                  ->    x_value = tl.load(x + i, mask=mask_1, other=0)
                                        tl.store(y + i, 2.0 * x_value, mask=mask_1)

Values that all threads share stay scalars and their control flow stays control flow; the rest are
tensors of LANES values under masks, and a loop that threads leave at different times runs while any
thread is in it. Shared memory and large local arrays live in a scratch buffer of the program.
A barrier stands wherever a lane may read memory that another thread of the GPU wrote: Triton is
free to move a lane to another thread between two operations.

One class prints; each file holds one layer of it, and a layer uses those below:

    kernel.py -> control.py -> between_lanes.py -> memory.py -> state.py
"""

from crossport.backends.triton.simt.kernel import print_kernel
from crossport.backends.triton.simt.state import KernelText

__all__ = ["KernelText", "print_kernel"]
