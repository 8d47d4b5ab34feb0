"""Finding lines: what is indexed of them, how candidates are fetched, and how close each is."""
