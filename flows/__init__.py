"""What is done, in which order: the only place where adapters, models and db meet."""
