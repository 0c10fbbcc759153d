"""Facesets in, a trained model out. Import the modules; this file loads no torch."""
