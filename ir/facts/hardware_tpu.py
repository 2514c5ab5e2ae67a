"""Google TPUs: rates and HBM from Google Cloud's documentation; VMEM is the largest scratch that
libtpu 0.0.52 compiles; tiles from JAX's "Pallas TPU" pages.
"""

from crossport.ir.facts.hardware import TpuTarget

_PALLAS = "JAX documentation, 'Writing TPU kernels with Pallas'"

ROWS = (
    TpuTarget(
        name="v5e",
        product="TPU v5e",
        sublanes=8,
        lanes=128,
        mxu=128,
        vmem=128 << 20,
        hbm=16 << 30,
        bf16_flops=197e12,
        bandwidth=819e9,
        sources=("Google Cloud, 'TPU v5e'", _PALLAS),
    ),
    TpuTarget(
        name="v6e",
        product="TPU v6e (Trillium)",
        sublanes=8,
        lanes=128,
        mxu=256,
        vmem=128 << 20,
        hbm=32 << 30,
        bf16_flops=918e12,
        bandwidth=1640e9,
        sources=("Google Cloud, 'TPU v6e'", _PALLAS),
    ),
)
