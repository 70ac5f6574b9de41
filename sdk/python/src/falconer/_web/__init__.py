"""What guards of every kind have in common."""
