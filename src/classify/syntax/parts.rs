//! What the loaders of a module return.
