"""The names that HIP and CUDA declare, as tables."""
