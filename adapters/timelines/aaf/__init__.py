"""Advanced Authoring Format: Avid, Premiere, Pro Tools."""
