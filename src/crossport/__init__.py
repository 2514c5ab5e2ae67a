"""Port CUDA kernels to HIP, Triton and Pallas, and prove each port against the NVIDIA run."""

__version__ = "0.1.0"
