"""Benchmarks, each printing one table of ratios."""
