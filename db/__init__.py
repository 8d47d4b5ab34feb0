"""What is remembered: tables, migrations, provenance and the dialogue catalogue."""
