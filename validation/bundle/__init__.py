"""Bundles: an original's run on an NVIDIA machine, recorded once and judged against ever after."""
