"""Runners: one way to run a candidate on one machine, each behind the same interface."""
