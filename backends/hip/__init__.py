"""CUDA -> HIP, as edits to the original source."""
