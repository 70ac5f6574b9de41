"""What is asked of Falconer about a request, and what comes of it."""
