"""What a result is like beside dst: figures, pictures, and a page that shows them."""
