"""How the shipped encoder was made: vocabulary, data recipe, training, export, measures. Needs torch."""
