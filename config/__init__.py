"""What a person may set: settings, cleaning recipes and delivery specs, validated."""
