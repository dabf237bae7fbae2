"""Sounds, and what a network hears of them."""
