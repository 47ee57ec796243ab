"""One file for each library that is watched; each is loaded when its library is."""
