"""What travels on a wire: tables, transforms, models, and how they are stored."""
