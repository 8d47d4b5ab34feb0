"""The nouns of the trade as small frozen values, exact time, and the pure arithmetic of cuts.

Nothing in here opens a file, listens to a sample or remembers anything.
"""
