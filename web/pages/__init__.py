"""The pages that a person sees, a module a subject; they show what the JSON interface gives."""
