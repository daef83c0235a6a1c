"""How an answerer becomes a service: endpoint, replica, router, controller."""
