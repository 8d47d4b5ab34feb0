"""Sound reports: what the mixer and the assistants noted of the takes, as ALE or CSV."""
