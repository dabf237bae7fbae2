"""Time series on a regular grid."""
