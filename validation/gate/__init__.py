"""What a port may contain, decided on its text before anything is run."""
