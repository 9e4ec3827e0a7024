"""Measurements, each with the command that reruns it."""
