"""How operations of PyTorch that are not elementwise become nodes of the graph; importing them makes them known."""

from elman.engine.rules import arithmetic, products, reductions, views

__all__ = ["arithmetic", "products", "reductions", "views"]
