"""Pairs of texts: read, made, found, in batches."""
