"""Networks: their sizes, their parts, and how they are kept on disk. Import the modules; this file loads no torch."""
