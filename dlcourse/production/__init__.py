"After training: look, clean, export, serve, watch."
