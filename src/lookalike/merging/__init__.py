"""A frame, a face's record and a trained model in; the frame with the face replaced out. Import the modules."""
