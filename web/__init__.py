"""The page and the JSON interface: what a browser sees of roomtone. No logic of its own."""
