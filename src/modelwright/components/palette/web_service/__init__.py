"""Where requests enter and replies leave a real-time inference pipeline."""
