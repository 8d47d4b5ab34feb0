"""The command line: it calls flows and db, and holds no logic of its own."""
