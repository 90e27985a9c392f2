"""Adapter + EvalReport -> Release: registered with its lineage, gated, promoted, rolled back."""
