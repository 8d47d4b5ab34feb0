"""The JSON interface, version 1: a module a subject, all under `/api/v1`."""
