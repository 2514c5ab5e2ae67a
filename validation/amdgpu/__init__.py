"""Compiled AMD code on a machine without an AMD GPU: compile, load, execute."""
