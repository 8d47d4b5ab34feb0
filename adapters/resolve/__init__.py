"""DaVinci Resolve: a script for its menu that asks for a run, and where such scripts go."""
