"""Measuring: collections, runs, measures, and comparisons with significance."""
