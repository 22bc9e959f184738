"""What `allos.judge` is made of: what is judged, what the judge is asked, and what it said."""
