"""Whole trees: which files, with which flags, into which folder."""
