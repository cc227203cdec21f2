"""Levenberg–Marquardt: Gauss–Newton steps, damped until they lower the loss."""
