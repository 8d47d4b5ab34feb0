"""Screenplays from outside: Fountain and Final Draft, read as the script they tell."""
