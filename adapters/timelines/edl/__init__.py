"""Edit decision lists: CMX3600 and its relatives."""
