"Practical deep learning, derived piece by piece in notebooks and exported as a small library."
__version__ = "0.1.0"
