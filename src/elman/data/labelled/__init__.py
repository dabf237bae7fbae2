"""Sequences of any kind with an answer to each."""
