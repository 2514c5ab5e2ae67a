"""NVIDIA GPUs: limits from the "CUDA C++ Programming Guide", allocation steps from the CUDA
Occupancy Calculator, rates from the data sheet of the product named, lanes from the guide's section
"Arithmetic Instructions" (results a cycle and multiprocessor).
"""

from crossport.ir.facts.hardware import GpuTarget

_GUIDE = "CUDA C++ Programming Guide 12.9, section 'Compute Capabilities', technical specifications"
_OCCUPANCY = "CUDA Occupancy Calculator (cuda_occupancy.h): allocation granularity per capability"

ROWS = (
    GpuTarget(
        name="sm_80",
        product="A100 SXM 80GB",
        vendor="nvidia",
        wave=32,
        segment=32,
        line=128,
        banks=32,
        bank_bytes=4,
        shared_per_block=163 * 1024,
        shared_per_unit=164 * 1024,
        shared_granule=128,
        reserved_shared=1024,
        registers=255,
        register_file=16384,
        register_granule=8,
        partitions=4,
        waves_per_partition=16,
        blocks_per_unit=32,
        threads_per_block=1024,
        units=108,
        fp32_lanes=64,
        int_lanes=64,
        special_lanes=16,
        fp32_flops=19.5e12,
        fp64_flops=9.7e12,
        bandwidth=2039e9,
        sources=(_GUIDE, _OCCUPANCY, "NVIDIA A100 Tensor Core GPU data sheet (2022)"),
    ),
    GpuTarget(
        name="sm_90",
        product="H200 SXM",
        vendor="nvidia",
        wave=32,
        segment=32,
        line=128,
        banks=32,
        bank_bytes=4,
        shared_per_block=227 * 1024,
        shared_per_unit=228 * 1024,
        shared_granule=128,
        reserved_shared=1024,
        registers=255,
        register_file=16384,
        register_granule=8,
        partitions=4,
        waves_per_partition=16,
        blocks_per_unit=32,
        threads_per_block=1024,
        units=132,
        fp32_lanes=128,
        int_lanes=64,
        special_lanes=16,
        fp32_flops=67e12,
        fp64_flops=34e12,
        bandwidth=4.8e12,
        sources=(_GUIDE, _OCCUPANCY, "NVIDIA H200 Tensor Core GPU data sheet (2024)"),
    ),
)
